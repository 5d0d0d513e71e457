//! The segment audit's figures against statsmodels, scipy and a plain numpy implementation: `bias.py` wrote `bias.json`.

use evenhand::stats::models::{Cells, Family, Robust, covariance, fit};
use evenhand::stats::ranks::van_elteren;
use evenhand::stats::tables::{Table, breslow_day, fisher, mantel_haenszel};
use serde_json::Value;

fn stored() -> Value {
    serde_json::from_str(include_str!("bias.json")).unwrap()
}

fn list(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn near(got: f64, want: &Value, what: &str) {
    let want = want.as_f64().unwrap();
    assert!((got - want).abs() <= 1e-8 * want.abs().max(1.0), "{what}: {got}, stored {want}");
}

/// One cell a row.
fn cells(v: &Value, outcome: &str) -> Cells {
    let (segment, level, y) = (list(&v["segment"]), list(&v["level"]), list(&v[outcome]));
    let mut out = Cells { k: 4, clusters: v["clusters"].as_u64().unwrap() as usize, ..Cells::default() };
    for ((s, l), y) in segment.iter().zip(&level).zip(&y) {
        out.x.extend([1.0, *s, f64::from(*l == 1.0), f64::from(*l == 2.0)]);
        out.n.push(1.0);
        out.sum.push(*y);
        out.squares.push(y * y);
    }
    out.cluster = list(&v["cluster"]).iter().map(|c| *c as usize).collect();
    out
}

fn errors(cells: &Cells, family: Family, kind: Robust) -> Vec<f64> {
    let v = covariance(cells, &fit(cells, family).unwrap(), kind);
    (0..cells.k).map(|i| v.at(i, i).sqrt()).collect()
}

#[test]
fn regressions_and_their_robust_errors() {
    let v = stored();
    for (outcome, family, name) in [("event", Family::Logistic, "logit"), ("number", Family::Linear, "ols")] {
        let cells = cells(&v, outcome);
        let beta = fit(&cells, family).unwrap().beta;
        let (cr1, cr2) = (errors(&cells, family, Robust::Cr1Small), errors(&cells, family, Robust::Cr2));
        for i in 0..4 {
            near(beta[i], &v[name]["beta"][i], "beta");
            near(cr1[i], &v[name]["cr1"][i], "CR1");
            near(cr2[i], &v[name]["cr2"][i], "CR2");
        }
    }
    let independent = Cells { clusters: 0, ..cells(&v, "number") };
    for (i, e) in errors(&independent, Family::Linear, Robust::Cr0).iter().enumerate() {
        near(*e, &v["ols"]["hc1"][i], "HC1");
    }
}

#[test]
fn grouping_rows_changes_nothing() {
    let v = stored();
    let rows = cells(&v, "event");
    let mut grouped = Cells { k: 4, clusters: rows.clusters, ..Cells::default() };
    let mut order: Vec<usize> = (0..rows.n.len()).collect();
    let key = |i: usize| (rows.cluster[i], list(&v["segment"])[i] as u8, list(&v["level"])[i] as u8);
    order.sort_by_key(|&i| key(i));
    for same in order.chunk_by(|&a, &b| key(a) == key(b)) {
        let events: f64 = same.iter().map(|&i| rows.sum[i]).sum();
        grouped.x.extend_from_slice(&rows.x[same[0] * 4..same[0] * 4 + 4]);
        grouped.cluster.push(rows.cluster[same[0]]);
        grouped.n.push(same.len() as f64);
        grouped.sum.push(events);
        grouped.squares.push(events);
    }
    let (a, b) = (errors(&rows, Family::Logistic, Robust::Cr2), errors(&grouped, Family::Logistic, Robust::Cr2));
    assert!(grouped.n.len() < rows.n.len() / 3);
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
}

#[test]
fn firths_penalty_where_the_likelihood_has_no_top() {
    let v = &stored()["firth"];
    let (n, events) = (list(&v["n"]), list(&v["events"]));
    let x = v["x"].as_array().unwrap().iter().flat_map(list).collect();
    let cells = Cells { k: 3, x, cluster: vec![0; 4], n, sum: events.clone(), squares: events, clusters: 0 };
    let beta = fit(&cells, Family::Firth).unwrap().beta;
    (0..3).for_each(|i| near(beta[i], &v["beta"][i], "Firth"));
}

#[test]
fn stratified_tables() {
    let v = stored();
    let table = |t: &Value| {
        let at = |i: usize, j: usize| t[i][j].as_u64().unwrap();
        Table::new([[at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]])
    };
    let tables: Vec<Table> = v["tables"].as_array().unwrap().iter().map(table).collect();
    let (mh, want) = (mantel_haenszel(&tables).unwrap(), &v["mantel_haenszel"]);
    near(mh.odds_ratio.unwrap(), &want["odds_ratio"], "odds ratio");
    near(mh.ci.unwrap().0, &want["ci"][0], "low");
    near(mh.ci.unwrap().1, &want["ci"][1], "high");
    near(mh.statistic, &want["statistic"], "statistic");
    near(mh.p, &want["p"], "p");
    near(mh.statistic_corrected, &want["statistic_corrected"], "corrected");
    near(mh.p_corrected, &want["p_corrected"], "p corrected");
    let bd = breslow_day(&tables).unwrap();
    near(bd.statistic, &v["breslow_day"]["statistic"], "Breslow-Day");
    near(bd.tarone, &v["breslow_day"]["tarone"], "Tarone");
    for case in v["fisher"].as_array().unwrap() {
        near(fisher(&table(&case[0])), &case[1], "Fisher");
    }
}

#[test]
fn ranks_within_strata() {
    let v = stored();
    let (segment, level, number) = (list(&v["segment"]), list(&v["level"]), list(&v["number"]));
    let mut strata = vec![(Vec::new(), Vec::new()); 3];
    for i in 0..number.len() {
        let s = &mut strata[level[i] as usize];
        if segment[i] == 1.0 { s.0.push(number[i]) } else { s.1.push(number[i]) }
    }
    near(van_elteren(&strata).unwrap().z, &v["van_elteren"], "z");
}
