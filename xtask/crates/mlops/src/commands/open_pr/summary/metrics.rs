//! What the training job measured on this very content.

use super::Subject;
use crate::commands::test::green;
use crate::context::Context;
use crate::pull_request::block::code;
use crate::results::Integration;

pub(super) fn section(context: &Context, subject: &Subject<'_>) -> anyhow::Result<String> {
    if !subject.clean {
        return Ok(String::new());
    }
    Ok(match green(context)?.integration {
        Some(integration) => table(context, &integration),
        None => String::new(),
    })
}

fn table(context: &Context, integration: &Integration) -> String {
    let Some(model) = &integration.model else {
        return String::new();
    };
    let chosen = &context.config.model.metrics;
    let champion = integration.champion_before.as_ref();
    let mut lines = vec![
        format!(
            "`cargo xtask test` on exactly these files, target {}:",
            code(&integration.target)
        ),
        String::new(),
        match champion {
            Some(champion) => format!(
                "| metric | this change | champion before (version {}) |",
                champion.version
            ),
            None => "| metric | this change |".to_owned(),
        },
        match champion {
            Some(_) => "|---|---:|---:|".to_owned(),
            None => "|---|---:|".to_owned(),
        },
    ];
    for (name, value) in &model.metrics {
        if !chosen.is_empty() && !chosen.contains(name) {
            continue;
        }
        let beside = champion.map(|champion| match champion.metrics.get(name) {
            Some(before) => format!(" {before} |"),
            None => " |".to_owned(),
        });
        lines.push(format!(
            "| {name} | {value} |{}",
            beside.unwrap_or_default()
        ));
    }
    lines.join("\n")
}
