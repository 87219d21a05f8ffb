//! How much memory the indexes may take when nobody says.

use std::fs;

/// When the machine does not tell how much memory it has.
const UNKNOWN: usize = 1 << 30;

/// A quarter of the memory that this machine, or the control group the process runs in, has.
pub(super) fn quarter_of_memory() -> usize {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total(&text));
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match (machine, group) {
        (Some(machine), Some(group)) => machine.min(group) / 4,
        (Some(memory), None) | (None, Some(memory)) => memory / 4,
        (None, None) => UNKNOWN,
    }
}

/// `MemTotal` of `/proc/meminfo` (proc(5)), in bytes.
fn total(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_machine_tells_its_memory_in_kib() {
        assert_eq!(
            total("MemTotal:       24689204 kB\nMemFree: 1 kB\n"),
            Some(24_689_204 * 1024)
        );
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert_eq!(total("MemTotal: lots"), None);
    }
}
