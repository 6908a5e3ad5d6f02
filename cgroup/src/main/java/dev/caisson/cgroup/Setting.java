package dev.caisson.cgroup;

/// One write that puts a limit in force: `value` into `file` of the group.
///
/// @param limit the limit's name for people, as in `memory`
record Setting(String limit, Tree tree, String file, String value) {}
