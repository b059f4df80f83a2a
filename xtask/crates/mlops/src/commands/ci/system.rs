//! Programs that a part needs and that are not fetched into the project's folder.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// A browser.
    Chromium,
    /// What Spark runs on.
    Java,
    /// What Prism runs on, with npm to fetch it.
    Node,
    /// The shell.
    Zsh,
    /// The shell.
    Fish,
}

impl System {
    /// Where it is; `None` when it is not installed.
    pub(super) fn find(self) -> Option<std::path::PathBuf> {
        self.programs()
            .iter()
            .find_map(|program| which::which(program).ok())
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            System::Chromium => &["chromium", "chromium-browser", "google-chrome", "chrome"],
            System::Java => &["java"],
            // npm is of no use without node, so it stands for both.
            System::Node => &["npm"],
            System::Zsh => &["zsh"],
            System::Fish => &["fish"],
        }
    }

    /// What to say when it is not installed.
    pub(super) fn missing(self) -> String {
        match self {
            System::Chromium => {
                "needs Chromium, install it with `apt-get install chromium` or from https://www.chromium.org".to_owned()
            }
            System::Node => "needs Node.js 18.20 or later with npm, install them with `apt-get install nodejs npm` or from https://nodejs.org".to_owned(),
            System::Zsh => "needs zsh, install it with `apt-get install zsh`".to_owned(),
            System::Fish => "needs fish, install it with `apt-get install fish`".to_owned(),
            System::Java => "needs Java 17 or later, install it with `apt-get install default-jre-headless` or from https://adoptium.net".to_owned(),
        }
    }
}
