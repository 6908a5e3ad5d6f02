package dev.caisson.cgroup;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.Lack;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The memory controller of either version.
sealed interface MemoryController extends Controller {
    String NAME = "memory";
    String SWAP = Setting.SWAP;
    String RESERVATION = "memory-reservation";
    String SWAPPINESS = "memory-swappiness";
    String OOM_KILL_DISABLE = "oom-kill-disable";

    Usage.Memory usage(GroupFiles files);

    /// Most that was charged at once; empty where the kernel does not keep it.
    Optional<Bytes> peak(GroupFiles files);

    /// Processes that the kernel killed in this group because it was out of memory.
    long oomKills(GroupFiles files);

    Bytes limit(GroupFiles files);

    /// Most memory and swap together.
    Bytes memoryAndSwap(GroupFiles files);

    static boolean isNeeded(Limits limits) {
        return !limits.memory().isUnlimited()
                || !limits.swap().isUnlimited()
                || limits.memoryReservation().isPresent()
                || limits.memorySwappiness().isPresent()
                || limits.oomKillDisable();
    }

    /// memory-v1: Documentation/admin-guide/cgroup-v1/memory.rst
    ///
    /// @param countsSockets whether the kernel counts the buffers of sockets, beside the limit and not in it
    record V1(Tree tree, boolean countsSockets) implements MemoryController {
        static final String SOCKETS_LIMIT = "memory.kmem.tcp.limit_in_bytes";

        /// Divisor of the memory limit; the result comes on top of that limit.
        private static final int SOCKETS_SHARE = 8;

        private static final Bytes LEAST_FOR_SOCKETS = Bytes.mebibytes(4);
        private static final String LIMIT = "memory.limit_in_bytes";
        private static final String SWAP_LIMIT = "memory.memsw.limit_in_bytes";

        @Override
        public List<Setting> settings(Limits limits, String parent) {
            var settings = new ArrayList<Setting>();
            settings.add(setting(NAME, LIMIT, limits.memory()));
            if (countsSockets) {
                settings.add(setting(NAME, SOCKETS_LIMIT, forSockets(limits.memory())));
            }
            if (Kernel.HAS_SWAP) {
                settings.add(setting(SWAP, SWAP_LIMIT, limits.memoryAndSwap()));
            }
            limits.memoryReservation()
                    .ifPresent(bytes -> settings.add(setting(RESERVATION, "memory.soft_limit_in_bytes", bytes)));
            limits.memorySwappiness()
                    .ifPresent(readiness -> settings.add(
                            new Setting(SWAPPINESS, tree, "memory.swappiness", Integer.toString(readiness))));
            if (limits.oomKillDisable()) {
                settings.add(new Setting(OOM_KILL_DISABLE, tree, "memory.oom_control", "1"));
            }
            return settings;
        }

        private static Bytes forSockets(Bytes memory) {
            return memory.isUnlimited()
                    ? memory
                    : Bytes.of(Math.max(memory.count() / SOCKETS_SHARE, LEAST_FOR_SOCKETS.count()));
        }

        private Setting setting(String limit, String file, Bytes most) {
            String value = most.isUnlimited() ? "-1" : Long.toString(most.count());
            return new Setting(limit, tree, file, value, most.isUnlimited());
        }

        @Override
        public List<Lack> lacks(Limits limits, String parent) {
            return limits.memory().isUnlimited() && !limits.swap().isUnlimited() && Kernel.HAS_SWAP
                    ? List.of(new Lack(SWAP, "control groups v1 cannot forbid swap where memory has no limit"))
                    : List.of();
        }

        @Override
        public Usage.Memory usage(GroupFiles files) {
            var stat = new KeyedText(files.read(tree, "memory.stat"));
            return new Usage.Memory(
                    bytes(files.read(tree, "memory.usage_in_bytes")),
                    peak(files),
                    limit(files),
                    Bytes.of(stat.get("total_swap")),
                    Bytes.of(stat.get("total_rss")),
                    Bytes.of(stat.get("total_cache")),
                    Bytes.of(stat.get("total_inactive_file")),
                    files.find(tree, "memory.kmem.usage_in_bytes").map(V1::bytes),
                    Optional.empty(),
                    limitHits(files),
                    oomKills(files));
        }

        @Override
        public Optional<Bytes> peak(GroupFiles files) {
            return Optional.of(bytes(files.read(tree, "memory.max_usage_in_bytes")));
        }

        @Override
        public long oomKills(GroupFiles files) {
            return new KeyedText(files.read(tree, "memory.oom_control")).get("oom_kill");
        }

        private long limitHits(GroupFiles files) {
            // memory and swap together is charged first: where both limits are the same, the second file counts, or
            // on newer kernels neither
            return Long.parseLong(files.read(tree, "memory.failcnt"))
                    + files.find(tree, "memory.memsw.failcnt")
                            .map(Long::valueOf)
                            .orElse(0L);
        }

        @Override
        public Bytes limit(GroupFiles files) {
            return bytes(files.read(tree, LIMIT));
        }

        @Override
        public Bytes memoryAndSwap(GroupFiles files) {
            return files.find(tree, SWAP_LIMIT).map(V1::bytes).orElse(Bytes.UNLIMITED);
        }

        /// No limit is the largest whole number of pages here.
        private static Bytes bytes(String text) {
            var bytes = Bytes.of(Long.parseLong(text));
            return bytes.equals(new Bytes(Long.MAX_VALUE & -Kernel.PAGE_SIZE)) ? Bytes.UNLIMITED : bytes;
        }
    }

    /// memory: Documentation/admin-guide/cgroup-v2.rst
    record V2(Tree tree) implements MemoryController {
        private static final String LIMIT = "memory.max";
        private static final String SWAP_LIMIT = "memory.swap.max";

        @Override
        public List<Setting> settings(Limits limits, String parent) {
            var settings = new ArrayList<Setting>();
            settings.add(setting(NAME, LIMIT, limits.memory()));
            if (Kernel.HAS_SWAP) {
                settings.add(setting(SWAP, SWAP_LIMIT, limits.swap()));
            }
            limits.memoryReservation().ifPresent(bytes -> settings.add(setting(RESERVATION, "memory.low", bytes)));
            return settings;
        }

        private Setting setting(String limit, String file, Bytes most) {
            String value = most.isUnlimited() ? "max" : Long.toString(most.count());
            return new Setting(limit, tree, file, value, most.isUnlimited());
        }

        @Override
        public List<Lack> lacks(Limits limits, String parent) {
            var lacks = new ArrayList<Lack>();
            if (limits.memorySwappiness().isPresent()) {
                lacks.add(new Lack(SWAPPINESS, "control groups v2 have no swappiness"));
            }
            if (limits.oomKillDisable()) {
                lacks.add(new Lack(OOM_KILL_DISABLE, "control groups v2 always kill"));
            }
            return lacks;
        }

        @Override
        public Usage.Memory usage(GroupFiles files) {
            var stat = new KeyedText(files.read(tree, "memory.stat"));
            var events = new KeyedText(files.read(tree, "memory.events"));
            return new Usage.Memory(
                    bytes(files.read(tree, "memory.current")),
                    peak(files),
                    limit(files),
                    files.find(tree, "memory.swap.current").map(V2::bytes).orElse(Bytes.ZERO),
                    Bytes.of(stat.get("anon")),
                    Bytes.of(stat.get("file")),
                    Bytes.of(stat.get("inactive_file")),
                    bytesOf(stat, "kernel"),
                    bytesOf(stat, "slab"),
                    events.get("max"),
                    events.get("oom_kill"));
        }

        @Override
        public Optional<Bytes> peak(GroupFiles files) {
            return files.find(tree, "memory.peak").map(V2::bytes);
        }

        @Override
        public long oomKills(GroupFiles files) {
            return new KeyedText(files.read(tree, "memory.events")).get("oom_kill");
        }

        @Override
        public Bytes limit(GroupFiles files) {
            return files.find(tree, LIMIT).map(V2::bytes).orElse(Bytes.UNLIMITED);
        }

        @Override
        public Bytes memoryAndSwap(GroupFiles files) {
            Bytes memory = limit(files);
            Bytes swap = files.find(tree, SWAP_LIMIT).map(V2::bytes).orElse(Bytes.UNLIMITED);
            return memory.isUnlimited() || swap.isUnlimited()
                    ? Bytes.UNLIMITED
                    : Bytes.of(memory.count() + swap.count());
        }

        /// Empty where this kernel does not have the key: `kernel` came with Linux 5.18.
        private static Optional<Bytes> bytesOf(KeyedText stat, String key) {
            OptionalLong figure = stat.find(key);
            return figure.isPresent() ? Optional.of(Bytes.of(figure.getAsLong())) : Optional.empty();
        }

        private static Bytes bytes(String text) {
            return text.equals("max") ? Bytes.UNLIMITED : Bytes.of(Long.parseLong(text));
        }
    }
}
