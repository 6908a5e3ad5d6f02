package dev.caisson.seccomp;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/// Profiles of every shape, small enough that each of their decisions can be tried.
final class RandomProfiles {
    static final List<String> NAMES = List.of(
            "read",
            "socket",
            "ioctl",
            "mmap",
            "chmod",
            "chown",
            "personality",
            "clone",
            "lseek",
            "setuid",
            "preadv",
            "cachestat",
            "mount_setattr");

    private static final List<Action> ACTIONS = List.of(
            Action.ALLOW,
            Action.LOG,
            Action.NOTIFY,
            new Action(Action.Kind.TRACE, 7),
            Action.errno(1),
            Action.errno(13),
            Action.TRAP,
            Action.KILL_THREAD,
            Action.KILL_PROCESS);

    private static final List<Long> VALUES =
            List.of(0xffffL, 0x10000L, 0x7fffffffL, 0x80000000L, 0xffffffffL, 1L << 32, 1L << 63, -1L, -2L, -65536L);

    private RandomProfiles() {}

    static Profile profile(SplittableRandom random) {
        var profile =
                new Profile(action(random), Map.of(), Set.of(), "", "", Seeds.list(random, 1, 8, RandomProfiles::rule));
        return random.nextBoolean() ? profile.withCompatibleAbis() : profile;
    }

    private static Rule rule(SplittableRandom random) {
        return new Rule(
                Seeds.list(random, 1, 3, from -> Seeds.one(from, NAMES)),
                action(random),
                Seeds.list(random, 0, 3, RandomProfiles::condition),
                selector(random),
                selector(random),
                "");
    }

    private static Selector selector(SplittableRandom random) {
        return switch (random.nextInt(9)) {
            case 0 -> new Selector(Set.of("CAP_SYS_ADMIN"), Set.of(), Optional.empty());
            case 1 -> new Selector(Set.of(), Set.of("amd64", "s390x"), Optional.empty());
            case 2 -> new Selector(Set.of(), Set.of(), Optional.of(KernelVersion.parse("5.10")));
            default -> Selector.NONE;
        };
    }

    private static Action action(SplittableRandom random) {
        return Seeds.one(random, ACTIONS);
    }

    private static Condition condition(SplittableRandom random) {
        long two = value(random);
        long value = value(random);
        return new Condition(
                random.nextInt(4),
                Seeds.one(random, List.of(Condition.Operator.values())),
                value,
                random.nextBoolean() ? two & value : two);
    }

    private static long value(SplittableRandom random) {
        return switch (random.nextInt(3)) {
            case 0 -> random.nextLong(71);
            case 1 -> Seeds.one(random, VALUES);
            default -> random.nextLong();
        };
    }
}
