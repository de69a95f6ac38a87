//! Writes mechanical fixes into files: from the end to the start, so that places stay right, and the whole file
//! or nothing.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use onex_contract::Diagnostic;
use onex_runtime::ContractFile;

/// Mends what can be mended; gives how many findings that were.
pub(super) fn apply(files: &[ContractFile], findings: &[Diagnostic]) -> anyhow::Result<usize> {
    let mut by_file: BTreeMap<&str, Vec<(usize, usize, &str)>> = BTreeMap::new();
    for finding in findings {
        if let (Some(span), Some(replacement)) = (finding.span, &finding.fix) {
            by_file.entry(&finding.file).or_default().push((span.offset, span.length, replacement));
        }
    }
    let mut mended = 0;
    for file in files {
        let Some(fixes) = by_file.remove(file.name().as_str()) else { continue };
        let Ok(text) = file.text() else { continue };
        mended += fixes.len();
        write_whole(&file.path, &mended_text(&text, fixes))?;
    }
    Ok(mended)
}

fn mended_text(text: &str, mut fixes: Vec<(usize, usize, &str)>) -> String {
    fixes.sort_unstable();
    let mut mended = text.to_owned();
    for (offset, length, replacement) in fixes.into_iter().rev() {
        if mended.is_char_boundary(offset) && mended.is_char_boundary(offset + length) {
            mended.replace_range(offset..offset + length, replacement);
        }
    }
    mended
}

/// A reader sees the old text or the new one, never half of it.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("yaml.onex-fix");
    std::fs::write(&beside, text).with_context(|| format!("cannot write `{}`", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("cannot replace `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::mended_text;

    #[test]
    fn fixes_do_not_move_each_other() {
        assert_eq!(mended_text("a: one\nb: two\n", vec![(3, 3, "\"1\""), (10, 3, "2")]), "a: \"1\"\nb: 2\n");
    }
}
