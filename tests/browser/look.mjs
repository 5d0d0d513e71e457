// Opens pages in Chromium and says what it saw, as one JSON line a page.
//   node look.mjs CHROMIUM OUT PAGE...
// For each page: console messages, requests beside the page itself, axe-core's findings at AA, whether anything is wider than the window,
// screenshots at desktop, phone and print width, and a PDF. OUT is a folder for the pictures.
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { chromium } from "playwright-core";

const [executablePath, out, ...pages] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const profile = mkdtempSync(join(tmpdir(), "evenhand-"));
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args, bypassCSP: true });
const sizes = { desktop: [1200, 900], phone: [375, 740] };

for (const file of pages) {
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const messages = [], requests = [];
  page.on("console", (m) => messages.push(m.text()));
  page.on("pageerror", (e) => messages.push(String(e)));
  page.on("request", (r) => { if (r.url() !== url) requests.push(r.url()); });
  const wide = [];
  for (const [name, [width, height]] of Object.entries(sizes)) {
    await page.setViewportSize({ width, height });
    await page.goto(url, { waitUntil: "load" });
    if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth + 1)) wide.push(name);
    await page.screenshot({ path: join(out, `${basename(file, ".html")}.${name}.png`), fullPage: true });
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
  await page.addScriptTag({ content: axe });
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const violations = found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")}`);
  await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = false; }));
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 700, height: 990 });
  await page.screenshot({ path: join(out, `${basename(file, ".html")}.print.png`), fullPage: true });
  const pdf = join(out, `${basename(file, ".html")}.pdf`);
  await page.pdf({ path: pdf, format: "A4", preferCSSPageSize: true });
  const cut = await page.evaluate(() => [...document.querySelectorAll("p, td, th, li, q, figcaption, h1, h2, h3, .turn")]
    .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" && e.clientWidth > 0)
    .map((e) => e.textContent.slice(0, 60)));
  // What is on paper: text that is not folded away. Letters of charts come on top of it.
  const shown = await page.evaluate(() => document.querySelector("main").innerText);
  console.log(JSON.stringify({ file, messages, requests, violations, wide, cut, pdf, shown }));
  await page.close();
}
await context.close();
rmSync(profile, { recursive: true, force: true });
