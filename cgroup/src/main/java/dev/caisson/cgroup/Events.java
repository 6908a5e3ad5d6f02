package dev.caisson.cgroup;

/// How often a group's limits had to act, since it was made. Gone with the group: read them before it is removed.
///
/// @param oomKills processes that the kernel killed because the group was out of memory
/// @param pidsRefused forks that the limit on processes refused
public record Events(long oomKills, long pidsRefused) {
    public boolean hasOutOfMemory() {
        return oomKills > 0;
    }

    public boolean hasPidsRefused() {
        return pidsRefused > 0;
    }
}
