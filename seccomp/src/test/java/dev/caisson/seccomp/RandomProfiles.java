package dev.caisson.seccomp;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

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

    private RandomProfiles() {}

    static Arbitrary<Profile> profiles() {
        return Combinators.combine(actions(), rules().list().ofMinSize(1).ofMaxSize(8), Arbitraries.of(true, false))
                .as((action, rules, all) -> {
                    var profile = new Profile(action, Map.of(), Set.of(), "", "", rules);
                    return all ? profile.withCompatibleAbis() : profile;
                });
    }

    private static Arbitrary<Rule> rules() {
        return Combinators.combine(
                        Arbitraries.of(NAMES).list().ofMinSize(1).ofMaxSize(3),
                        actions(),
                        conditions().list().ofMaxSize(3),
                        selectors(),
                        selectors())
                .as((names, action, conditions, includes, excludes) ->
                        new Rule(names, action, conditions, includes, excludes, ""));
    }

    private static Arbitrary<Selector> selectors() {
        return Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(6, Arbitraries.just(Selector.NONE)),
                net.jqwik.api.Tuple.of(
                        1, Arbitraries.just(new Selector(Set.of("CAP_SYS_ADMIN"), Set.of(), Optional.empty()))),
                net.jqwik.api.Tuple.of(
                        1, Arbitraries.just(new Selector(Set.of(), Set.of("amd64", "s390x"), Optional.empty()))),
                net.jqwik.api.Tuple.of(
                        1,
                        Arbitraries.just(new Selector(Set.of(), Set.of(), Optional.of(KernelVersion.parse("5.10"))))));
    }

    private static Arbitrary<Action> actions() {
        return Arbitraries.of(
                Action.ALLOW,
                Action.LOG,
                Action.NOTIFY,
                new Action(Action.Kind.TRACE, 7),
                Action.errno(1),
                Action.errno(13),
                Action.TRAP,
                Action.KILL_THREAD,
                Action.KILL_PROCESS);
    }

    private static Arbitrary<Condition> conditions() {
        Arbitrary<Long> values = Arbitraries.oneOf(
                Arbitraries.longs().between(0, 70),
                Arbitraries.of(
                        0xffffL,
                        0x10000L,
                        0x7fffffffL,
                        0x80000000L,
                        0xffffffffL,
                        1L << 32,
                        1L << 63,
                        -1L,
                        -2L,
                        -65536L),
                Arbitraries.longs());
        return Combinators.combine(
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.of(Condition.Operator.values()),
                        values,
                        values,
                        Arbitraries.of(true, false))
                .as((index, operator, value, two, within) ->
                        new Condition(index, operator, value, within ? two & value : two));
    }
}
