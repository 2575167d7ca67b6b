//! The console in a real browser: a headless Chromium, without which these tests are skipped.

mod accessible;
mod browser;
mod scenes;

use anyhow::{Result, anyhow};
use browser::Browser;
use libtest_mimic::{Arguments, Trial};
use local::{cloud::Cloud, options::Options};
use std::sync::Arc;
use tokio::{runtime::Runtime, sync::OnceCell};

/// What all tests share.
pub struct Shop {
    pub cloud: Cloud,
    pub browser: Browser,
}

fn main() -> Result<()> {
    let mut arguments = Arguments::from_args();
    // The tests share one window, one queue and one set of faults.
    arguments.test_threads = Some(1);
    let runtime = Arc::new(Runtime::new()?);
    let shop = Arc::new(OnceCell::new());
    let fact = |name: &str, scene: scenes::Scene| {
        let (runtime, shop) = (runtime.clone(), shop.clone());
        let test = move || {
            let run = async {
                let shop = shop.get_or_try_init(start).await?;
                scene(shop).await
            };
            runtime
                .block_on(run)
                .map_err(|error| format!("{error:#}").into())
        };
        Trial::test(name, test).with_ignored_flag(!browser::is_there())
    };
    let trials = vec![
        fact("a_placed_order_appears_within_a_second", |shop| {
            Box::pin(scenes::order(shop))
        }),
        fact("a_spikes_backlog_rises_and_falls", |shop| {
            Box::pin(scenes::spike(shop))
        }),
        fact(
            "a_fault_makes_a_dead_letter_and_its_redrive_settles_it",
            |shop| Box::pin(scenes::dead_letter(shop)),
        ),
        fact("script_off_the_page_is_a_snapshot", |shop| {
            Box::pin(scenes::no_script(shop))
        }),
        fact("the_keyboard_alone_will_do_and_the_focus_stays", |shop| {
            Box::pin(scenes::keyboard(shop))
        }),
        fact("axe_finds_nothing_light_or_dark", |shop| {
            Box::pin(accessible::check(shop))
        })
        .with_ignored_flag(!browser::is_there() || accessible::axe().is_none()),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(shop) = Arc::into_inner(shop).and_then(OnceCell::into_inner) {
        runtime.block_on(async {
            shop.cloud.stop().await;
            shop.browser.quit().await
        })?;
    }
    conclusion.exit()
}

/// Orders give up soon: they are received twice, a second apart.
async fn start() -> Result<Shop> {
    let options = Options {
        port: 0,
        quiet: true,
        parameter_overrides: vec!["MaxReceiveCount=2 RetryBaseSeconds=1".to_owned()],
        ..Options::default()
    };
    let cloud = Cloud::start(&options, |step| eprintln!("local: {step}")).await?;
    let browser = Browser::start()
        .await
        .map_err(|error| anyhow!("no browser: {error:#}"))?;
    Ok(Shop { cloud, browser })
}
