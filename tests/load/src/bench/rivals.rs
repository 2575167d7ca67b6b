//! Builds other implementations of the functions, from `tests/load/rivals`, and installs them into `target/rivals`,
//! with their dependencies from crates.io, PyPI and npm.

use super::{
    ROOT,
    cloud::Cloud,
    contestant::{Contestant, Deployment, Role},
    function::Program,
};
use anyhow::{Context, ensure};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// `lambda_http` and `aws-config` with default features.
pub const TUTORIAL: &str = "tutorial Rust";
/// boto3 and Powertools.
pub const PYTHON: &str = "Python";
/// SDK v3 and Powertools.
pub const NODE: &str = "Node";

const ROLES: [(Role, &str); 2] = [(Role::Ingest, "ingest"), (Role::Process, "process")];

/// Builds the rival of this name. The error names the missing tool.
pub async fn build(
    name: &'static str,
    deployment: &Deployment,
    cloud: &Cloud,
) -> anyhow::Result<Vec<Contestant>> {
    let target = Path::new(ROOT).join("target/rivals");
    fs::create_dir_all(&target)?;
    let target = target.canonicalize()?;
    let source = Path::new(ROOT).join("tests/load/rivals").canonicalize()?;
    let (source, target) = match name {
        TUTORIAL => (source.join("rust-tutorial"), target.join("rust-tutorial")),
        PYTHON => (source.join("python"), target.join("python")),
        _ => (source.join("node"), target.join("node")),
    };
    let programs = match name {
        TUTORIAL => tutorial(&source, &target).await,
        PYTHON => python(&source, &target, cloud).await,
        _ => node(&source, &target).await,
    }?;
    let programs = programs.into_iter().zip(ROLES);
    programs
        .map(|(mut program, (role, _))| {
            program.environment.extend(deployment.environment(role)?);
            Ok(Contestant {
                name,
                role,
                compiles: name == NODE,
                program,
            })
        })
        .collect()
}

async fn tutorial(source: &Path, target: &Path) -> anyhow::Result<Vec<Program>> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(target)
        .current_dir(source);
    finish(cargo).await?;
    let folder = target.join("release");
    ROLES
        .map(|(_, binary)| {
            let executable = folder.join(binary);
            let bytes = fs::metadata(&executable)?.len();
            Ok(program(vec![executable.into()], &folder, bytes))
        })
        .into_iter()
        .collect()
}

/// Packages it as AWS documents: `pip install --target`, together with Lambda's own runtime client.
async fn python(source: &Path, target: &Path, cloud: &Cloud) -> anyhow::Result<Vec<Program>> {
    let (runtime, package) = (target.join("runtime"), target.join("package"));
    let python = runtime.join("bin/python");
    let wanted = fs::read_to_string(source.join("requirements.txt"))?;
    let installed = target.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        eprintln!("{PYTHON} is installed");
    } else {
        drop(fs::remove_dir_all(target));
        fs::create_dir_all(&package)?;
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&runtime);
        finish(venv).await?;
        let requirements = source.join("requirements.txt");
        let to_package = [
            "--target".as_ref(),
            package.as_os_str(),
            "--requirement".as_ref(),
            requirements.as_os_str(),
        ];
        for wanted in [&["awslambdaric==4.2.2".as_ref()][..], &to_package] {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet"])
                .arg("--disable-pip-version-check")
                .args(wanted);
            finish(pip).await?;
        }
        fs::write(&installed, wanted)?;
    }
    ROLES
        .map(|(_, name)| {
            let file = format!("{name}.py");
            fs::copy(source.join(&file), package.join(&file))?;
            let handler = format!("{name}.handler").into();
            let command = vec![
                python.clone().into(),
                "-m".into(),
                "awslambdaric".into(),
                handler,
            ];
            let mut program = program(command, &package, size(&package)?);
            // This file replaces the roots that boto3 ships: a function must load as many.
            let (roots, modules) = (cloud.trust.whole(), package.clone());
            program.environment = BTreeMap::from([
                ("AWS_CA_BUNDLE".to_owned(), roots.into()),
                ("PYTHONPATH".to_owned(), modules.into()),
            ]);
            Ok(program)
        })
        .into_iter()
        .collect()
}

/// Bundles it with esbuild, as SAM documents.
async fn node(source: &Path, target: &Path) -> anyhow::Result<Vec<Program>> {
    fs::create_dir_all(target)?;
    let wanted = fs::read_to_string(source.join("package.json"))?;
    let installed = target.join("installed.json");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        eprintln!("{NODE} is installed");
    } else {
        fs::copy(source.join("package.json"), target.join("package.json"))?;
        let mut npm = Command::new("npm");
        npm.args([
            "install",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--silent",
        ])
        .current_dir(target);
        finish(npm).await?;
        fs::write(&installed, wanted)?;
    }
    // Resolves the path now: a function's environment has another PATH.
    let mut node = Command::new("node");
    let node = node
        .args(["-p", "process.execPath"])
        .output()
        .await
        .context("node cannot be run")?;
    let executable = OsString::from(String::from_utf8(node.stdout)?.trim());
    fs::copy(source.join("runtime.mjs"), target.join("runtime.mjs"))?;
    let mut programs = Vec::new();
    for (_, name) in ROLES {
        fs::copy(
            source.join(format!("{name}.mjs")),
            target.join(format!("{name}.mjs")),
        )?;
        let bundle = target.join(format!("bundle/{name}.mjs"));
        let require =
            "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
        let mut esbuild = Command::new(target.join("node_modules/.bin/esbuild"));
        esbuild
            .arg(format!("{name}.mjs"))
            .args([
                "--bundle",
                "--minify",
                "--platform=node",
                "--target=node20",
                "--format=esm",
            ])
            .args(["--main-fields=module,main", "--log-level=error"])
            .arg(format!("--banner:js={require}"))
            .arg(format!("--outfile={}", bundle.display()))
            .current_dir(target);
        finish(esbuild).await?;
        let command = vec![
            executable.clone(),
            target.join("runtime.mjs").into(),
            bundle.clone().into(),
        ];
        programs.push(program(command, target, fs::metadata(&bundle)?.len()));
    }
    Ok(programs)
}

fn program(command: Vec<OsString>, folder: &Path, bytes: u64) -> Program {
    Program {
        command,
        folder: folder.to_owned(),
        environment: BTreeMap::new(),
        bytes,
    }
}

/// Runs a command, which must succeed. Its output goes to stderr: stdout is reserved for the tables.
async fn finish(mut command: Command) -> anyhow::Result<()> {
    let program = command.as_std().get_program().to_owned();
    let program = Path::new(&program).display();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{program} cannot be run"))?;
    let status = child.wait().await?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}

/// Counts the bytes of a folder's files, except those that this bench's functions left there.
fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes)
}
