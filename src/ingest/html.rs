//! Text of an HTML body. In: HTML, however broken or hostile. Out: what a reader would see, one line a block; nothing runs, nothing nests.
//!
//! Only the tokenizer of a browser's parser is used: no tree is built, so depth costs nothing. Quoted replies are left out: somebody
//! else wrote them.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer};

/// The text of a body that may be HTML; a body without a tag or an entity is text already.
pub(super) fn to_text(body: &str) -> String {
    if !body.contains(['<', '&']) {
        return body.trim().to_owned();
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(body));
    let tokenizer = Tokenizer::new(Sink::default(), Default::default());
    // Scripts are never run, so the tokenizer stops before its end only at one; it is fed until nothing is left.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().lines()
}

#[derive(Default)]
struct Sink(RefCell<Text>);

#[derive(Default)]
struct Text {
    out: String,
    /// The element whose content is left out, and how many of its name are open.
    hidden: Option<(String, usize)>,
}

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];
const HIDDEN: &[&str] = &["script", "style", "head", "template", "noscript", "textarea", "title"];

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut text = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(chars) if text.hidden.is_none() => text.out.push_str(&chars),
            Token::TagToken(tag) => {
                text.tag(&tag);
                if tag.kind == TagKind::StartTag {
                    return match &*tag.name {
                        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                        "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                            TokenSinkResult::RawData(RawKind::Rawtext)
                        }
                        "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
                        _ => TokenSinkResult::Continue,
                    };
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Text {
    fn tag(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        let start = tag.kind == TagKind::StartTag;
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name && !tag.self_closing {
                *open = if start { *open + 1 } else { *open - 1 };
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        if start && !tag.self_closing && (HIDDEN.contains(&name) || quotes(tag)) {
            self.hidden = Some((name.to_owned(), 1));
        }
        if BLOCKS.contains(&name) {
            self.out.push('\n');
        }
    }

    /// The lines with text, white space evened out.
    fn lines(&self) -> String {
        let lines = self.out.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// Whether the element holds the message that is answered.
fn quotes(tag: &Tag) -> bool {
    tag.attrs.iter().any(|a| match &*a.name.local {
        "type" => &*tag.name == "blockquote" && a.value.eq_ignore_ascii_case("cite"),
        "class" => a.value.split_whitespace().any(|c| matches!(c, "gmail_quote" | "yahoo_quoted" | "zendesk_quoted")),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_is_kept() {
        for (html, want) in [
            ("plain  text ", "plain  text"),
            ("<p>Hi&nbsp;Ana,</p><p>it&#39;s <b>done</b>.<br>Bye</p>", "Hi Ana,\nit's done.\nBye"),
            ("a &lt;b&gt; &amp; c", "a <b> & c"),
            ("<style>p{}</style><script>alert('<p>x')</script><p>ok", "ok"),
            ("<ul><li>one<li>two</ul>", "one\ntwo"),
            ("<div>Thanks<div class=\"gmail_quote\"><div>old</div>older</div> new</div>", "Thanks\nnew"),
            ("<blockquote type=cite>old</blockquote>new", "new"),
            ("<!-- no --><img src=x onerror=alert(1)>seen", "seen"),
            ("cut <a href=\"", "cut"),
            ("<script>never closed", ""),
        ] {
            assert_eq!(to_text(html), want, "{html}");
        }
    }

    #[test]
    fn a_million_open_tags_are_only_text() {
        let html = format!("{}deep", "<div>".repeat(1_000_000));
        assert_eq!(to_text(&html), "deep");
    }
}
