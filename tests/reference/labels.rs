//! Rates from labelled samples and agreement of reviewers against statsmodels, scipy and plain numpy (`labels.py` wrote `labels.json`), R's survey
//! package, epiR, ppi-python and Krippendorff's own examples.

use evenhand::stats::agreement::{Coincidences, Scale, cohen, fleiss, krippendorff};
use evenhand::stats::prevalence::{Judge, correct, ppi, rogan_gladen};
use evenhand::stats::survey::{Answers, Design, Estimate};
use serde_json::Value;

fn stored() -> Value {
    serde_json::from_str(include_str!("labels.json")).unwrap()
}

fn list(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn near(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 1e-8 * want.abs().max(1.0), "{what}: {got}, known {want}");
}

fn same(got: &Estimate, design: &Design, want: &Value, what: &str) {
    near(got.value, want["value"].as_f64().unwrap(), what);
    near(design.error(got).unwrap(), want["error"].as_f64().unwrap(), &format!("error of {what}"));
}

fn sample(v: &Value) -> (Answers, Design) {
    let number = |name: &str| v[name].as_f64().unwrap();
    let answers = Answers {
        people: (list(&v["y"]), list(&v["a"])),
        program: (list(&v["f"]), list(&v["g"])),
        totals: (number("F"), number("G")),
        inside: list(&v["inside"]),
        population: number("M"),
    };
    (answers, Design::new(list(&v["stratum"]).iter().map(|s| *s as usize).collect(), &list(&v["pi"])))
}

#[test]
fn rates_under_a_design_with_unequal_probabilities() {
    let v = stored();
    let (a, d) = sample(&v);
    near(d.freedom(), v["freedom"].as_f64().unwrap(), "degrees of freedom");
    same(&d.mean(&a.people.0, a.population).unwrap(), &d, &v["mean"], "Horvitz-Thompson");
    let hajek = d.ratio(&a.people.0, &a.people.1).unwrap();
    same(&hajek, &d, &v["ratio"], "Hájek");
    let ci = d.share_interval(&hajek, &a.people.1, d.freedom()).unwrap();
    near(ci.0, v["ratio"]["ci"][0].as_f64().unwrap(), "low");
    near(ci.1, v["ratio"]["ci"][1].as_f64().unwrap(), "high");
    for (answers, name) in [(a.clone(), "powered"), (a.of_all(), "powered_all")] {
        let p = answers.powered(&d, None).unwrap();
        near(p.lambda, v[name]["lambda"].as_f64().unwrap(), "lambda");
        same(&p.estimate, &d, &v[name], name);
    }
    same(&a.corrected(&d).unwrap(), &d, &v["corrected"], "Rogan-Gladen where it applies");
    same(&a.of_all().corrected(&d).unwrap(), &d, &v["corrected_all"], "Rogan-Gladen of all");
    let trial = a.trial(&d).unwrap();
    same(&trial.sensitivity, &d, &v["sensitivity"], "sensitivity");
    same(&trial.specificity, &d, &v["specificity"], "specificity");
    same(&a.precision(&d).unwrap(), &d, &v["precision"], "precision");
}

/// R's survey package, `apistrat`: by stratum (population, drawn, mean, variance); two values at equal distance from the mean stand for the drawn.
#[test]
fn stratified_horvitz_thompson_as_rs_survey() {
    let strata = [
        (4421.0, 100, 674.43, 15_687.419_292_929_3),
        (755.0, 50, 625.82, 11_947.089_387_755_1),
        (1018.0, 50, 636.6, 13_824.857_142_857_1),
    ];
    let (mut stratum, mut pi, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (s, (population, n, mean, variance)) in strata.into_iter().enumerate() {
        let away = (variance * f64::from(n - 1) / f64::from(n)).sqrt();
        for i in 0..n {
            stratum.push(s);
            pi.push(f64::from(n) / population);
            y.push(mean + if i % 2 == 0 { away } else { -away });
        }
    }
    let d = Design::new(stratum, &pi);
    let e = d.mean(&y, 6194.0).unwrap();
    near(e.value, 662.287_363_577_7, "mean");
    near(d.error(&e).unwrap(), 9.408_940_879_4, "error");
}

#[test]
fn corrected_rates_as_published() {
    near(rogan_gladen(45.0 / 150.0, 0.96, 0.89).unwrap(), 0.223_529_411_8, "Rogan-Gladen");
    near(rogan_gladen(6.0 / 151.0, 0.964, 0.927).unwrap(), -0.037_334_344_2, "Rogan-Gladen below 0");
    let c = correct(320, 400, Judge { found: 78, positives: 80, passed: 30, negatives: 40 }).unwrap();
    near(c.rate, 0.758_620_689_7, "Rogan-Gladen");
    near(c.ci.0, 0.672_878_425_8, "Lang-Reiczigel, low");
    near(c.ci.1, 0.841_368_604_7, "Lang-Reiczigel, high");
    let bits = |s: &str| s.bytes().map(|b| f64::from(b - b'0')).collect::<Vec<f64>>();
    let (y, f) = (bits("10010010001000010000"), bits("10110010000010010000"));
    let elsewhere = bits(&"1000100101".repeat(20));
    for (lambda, rate, low, high) in [
        (Some(1.0), 0.35, 0.168_504_795_1, 0.531_495_204_9),
        (Some(0.0), 0.25, 0.060_227_303_2, 0.439_772_696_8),
        (None, 0.297_509_545_3, 0.144_718_059_1, 0.450_301_031_5),
    ] {
        let p = ppi(&y, &f, &elsewhere, lambda).unwrap();
        near(p.rate, rate, "PPI++");
        near(p.ci.0, low, "PPI++, low");
        near(p.ci.1, high, "PPI++, high");
    }
    near(ppi(&y, &f, &elsewhere, None).unwrap().lambda, 0.475_095_453_0, "lambda");
}

#[test]
fn agreement_as_published() {
    let units = |rows: &[&str]| -> Vec<Vec<f64>> {
        let rows: Vec<Vec<Option<f64>>> = rows.iter().map(|r| r.split(',').map(|v| v.parse().ok()).collect()).collect();
        (0..rows[0].len()).map(|i| rows.iter().filter_map(|r| r[i]).collect()).collect()
    };
    let four = units(&[
        "1,2,3,3,2,1,4,1,2,_,_,_",
        "1,2,3,3,2,2,4,1,2,5,_,3",
        "_,3,3,3,2,3,4,2,2,5,1,_",
        "1,2,3,3,2,4,4,1,2,5,1,_",
    ]);
    let three =
        units(&["_,_,_,_,_,3,4,1,2,1,1,3,3,_,3", "1,_,2,1,3,3,4,3,_,_,_,_,_,_,_", "_,_,2,1,3,4,4,_,2,1,1,3,3,_,4"]);
    for (scale, a, b) in [
        (Scale::Nominal, 0.743_421_052_632, 0.691_358_024_691),
        (Scale::Ordinal, 0.815_387_503_755, 0.806_721_419_942),
        (Scale::Interval, 0.849_107_142_857, 0.810_844_892_812),
        (Scale::Ratio, 0.797_402_774_712, 0.808_943_670_784),
    ] {
        near(krippendorff(&four, scale).unwrap(), a, "alpha, 4 × 12");
        near(krippendorff(&three, scale).unwrap(), b, "alpha, 3 × 15");
        // Counts of counts say the same as the units themselves, twice over.
        let mut twice = Coincidences::new(vec![1.0, 2.0, 3.0, 4.0, 5.0]);
        four.iter().for_each(|u| {
            let counts: Vec<(usize, f64)> = u.iter().map(|v| (*v as usize - 1, 1.0)).collect();
            let mut merged: Vec<(usize, f64)> = Vec::new();
            for (place, n) in counts {
                match merged.iter_mut().find(|(p, _)| *p == place) {
                    Some(m) => m.1 += n,
                    None => merged.push((place, n)),
                }
            }
            twice.add(&merged, 2.0);
        });
        let doubled: Vec<Vec<f64>> = four.iter().chain(&four).cloned().collect();
        near(twice.alpha(scale).unwrap(), krippendorff(&doubled, scale).unwrap(), "alpha by counts");
    }
    let k = cohen(&[0, 4, 1, 0, 8, 0, 0, 1, 5], 3).unwrap();
    near(k.kappa, 0.484_162_895_9, "kappa");
    near(k.error, 0.138_013_578_3, "error of kappa");
    let v = stored();
    let table: Vec<u64> = list(&v["kappa"]["table"]).iter().map(|n| *n as u64).collect();
    let k = cohen(&table, 3).unwrap();
    near(k.kappa, v["kappa"]["kappa"].as_f64().unwrap(), "kappa");
    near(k.error, v["kappa"]["error"].as_f64().unwrap(), "error of kappa");
    near(k.ci.1, v["kappa"]["ci"][1].as_f64().unwrap(), "kappa, high");
    let counts: Vec<Vec<u64>> =
        v["fleiss"]["counts"].as_array().unwrap().iter().map(|u| list(u).iter().map(|n| *n as u64).collect()).collect();
    near(fleiss(&counts).unwrap(), v["fleiss"]["kappa"].as_f64().unwrap(), "Fleiss");
    let wikipedia = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    .map(Vec::from);
    near(fleiss(&wikipedia).unwrap(), 0.209_930_704_4, "Fleiss, 10 × 5");
}
