package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Puts profiles together: the result allows what any of them allows, and nothing else. Of recorded
/// profiles it adds up in how many runs a call was seen, which they keep in their rules' comments.
public final class ProfileMerge {
    private static final Pattern RUNS = Pattern.compile("seen in ([0-9]{1,6}) of ([0-9]{1,6}) runs");

    /// The properties that tell two rules apart besides the calls that they name.
    private record Kind(Action action, List<Condition> conditions, Selector includes, Selector excludes) {
        private static Kind of(Rule rule) {
            return new Kind(rule.action(), rule.conditions(), rule.includes(), rule.excludes());
        }
    }

    private record Group(Kind kind, String comment) {}

    private ProfileMerge() {}

    /// The comment by which a recorded profile says how often its calls were seen.
    public static String seen(int times, int runs) {
        return "seen in " + times + " of " + runs + " runs";
    }

    /// Merges at least one profile.
    /// @throws SeccompException CONTRADICTION where the profiles differ in what they do with a call that
    /// is not allowed
    public static Profile of(List<Profile> profiles) {
        Profile first = profiles.getFirst();
        for (Profile profile : profiles) {
            if (!profile.defaultAction().equals(first.defaultAction())) {
                throw new SeccompException(
                        SeccompException.Code.CONTRADICTION,
                        "one profile's default action is " + first.defaultAction() + ", another's is "
                                + profile.defaultAction() + "; make them the same");
            }
            if (!profile.listenerPath().equals(first.listenerPath())
                    || !profile.listenerMetadata().equals(first.listenerMetadata())) {
                throw new SeccompException(
                        SeccompException.Code.CONTRADICTION,
                        "the profiles name different listeners; make them the same");
            }
        }
        profiles.forEach(profile -> checkAbis(first, profile));
        checkDenials(profiles);
        return new Profile(
                first.defaultAction(),
                first.abis(),
                flags(profiles),
                first.listenerPath(),
                first.listenerMetadata(),
                rules(profiles));
    }

    /// A rule counts under every ABI that a profile lets in, so that one profile's calls would come in by another's
    /// ABIs.
    private static void checkAbis(Profile first, Profile profile) {
        for (Architecture machine : Architecture.values()) {
            if (machine.isNative() && !first.abisOn(machine).equals(profile.abisOn(machine))) {
                Set<Architecture> differing = EnumSet.copyOf(first.abisOn(machine));
                differing.addAll(profile.abisOn(machine));
                differing.removeIf(abi -> first.abisOn(machine).contains(abi)
                        && profile.abisOn(machine).contains(abi));
                throw new SeccompException(
                        SeccompException.Code.CONTRADICTION,
                        "one profile lets "
                                + String.join(
                                        ", ", differing.stream().map(Enum::name).toList())
                                + " in on " + machine
                                + " and another does not: give both the same archMap or architectures");
            }
        }
    }

    private static Set<Profile.Flag> flags(List<Profile> profiles) {
        Set<Profile.Flag> flags = EnumSet.noneOf(Profile.Flag.class);
        profiles.forEach(profile -> flags.addAll(profile.flags()));
        return flags;
    }

    /// Refuses denials: of two rules for a call the more restrictive holds, so one profile's denial would take what the
    /// other allows, by a rule or by its default.
    private static void checkDenials(List<Profile> profiles) {
        boolean allowsUnnamed = profiles.getFirst().defaultAction().kind() == Action.Kind.ALLOW;
        List<Map<String, Set<Kind>>> kinds =
                profiles.stream().map(ProfileMerge::kinds).toList();
        var names = new TreeSet<String>();
        kinds.forEach(own -> names.addAll(own.keySet()));
        for (String name : names) {
            Set<Set<Kind>> different = new LinkedHashSet<>();
            for (Map<String, Set<Kind>> own : kinds) {
                if (allowsUnnamed || own.containsKey(name)) {
                    different.add(own.getOrDefault(name, Set.of()));
                }
            }
            if (different.size() > 1 && different.stream().anyMatch(ProfileMerge::denies)) {
                throw new SeccompException(
                        SeccompException.Code.CONTRADICTION,
                        "one profile denies " + name + " and another decides otherwise: decide for one of them first");
            }
        }
    }

    private static Map<String, Set<Kind>> kinds(Profile profile) {
        Map<String, Set<Kind>> own = new TreeMap<>();
        for (Rule rule : profile.rules()) {
            rule.names()
                    .forEach(name -> own.computeIfAbsent(name, n -> new LinkedHashSet<>())
                            .add(Kind.of(rule)));
        }
        return own;
    }

    private static boolean denies(Set<Kind> kinds) {
        return kinds.stream().anyMatch(kind -> kind.action().kind() != Action.Kind.ALLOW);
    }

    private static List<Rule> rules(List<Profile> profiles) {
        int runs = profiles.stream().mapToInt(ProfileMerge::runs).sum();
        boolean recorded = profiles.stream()
                .flatMap(profile -> profile.rules().stream())
                .anyMatch(rule -> RUNS.matcher(rule.comment()).find());
        Map<Kind, Map<String, Integer>> times = new LinkedHashMap<>();
        Map<Kind, Set<String>> comments = new LinkedHashMap<>();
        for (Profile profile : profiles) {
            Map<Kind, Map<String, Integer>> own = new LinkedHashMap<>();
            for (Rule rule : profile.rules()) {
                int seen = times(rule.comment(), runs(profile));
                comments.computeIfAbsent(Kind.of(rule), k -> new LinkedHashSet<>())
                        .add(rule.comment());
                Map<String, Integer> names = own.computeIfAbsent(Kind.of(rule), k -> new TreeMap<>());
                rule.names().forEach(name -> names.merge(name, seen, Math::max));
            }
            own.forEach((kind, names) -> {
                Map<String, Integer> sum = times.computeIfAbsent(kind, k -> new TreeMap<>());
                names.forEach((name, seen) -> sum.merge(name, seen, Integer::sum));
            });
        }
        Map<Group, Set<String>> groups = new LinkedHashMap<>();
        times.forEach((kind, names) -> names.forEach((name, seen) -> {
            String comment = recorded && kind.action().kind() == Action.Kind.ALLOW
                    ? seen(seen, runs)
                    : comment(comments.getOrDefault(kind, Set.of()));
            groups.computeIfAbsent(new Group(kind, comment), g -> new TreeSet<>())
                    .add(name);
        }));
        var rules = new ArrayList<Rule>();
        groups.forEach((group, names) -> rules.add(new Rule(
                List.copyOf(names),
                group.kind().action(),
                group.kind().conditions(),
                group.kind().includes(),
                group.kind().excludes(),
                group.comment())));
        return rules;
    }

    private static String comment(Set<String> comments) {
        return String.join(
                " ", comments.stream().filter(comment -> !comment.isEmpty()).toList());
    }

    /// How many runs a profile stands for.
    private static int runs(Profile profile) {
        return profile.rules().stream()
                .map(rule -> RUNS.matcher(rule.comment()))
                .filter(Matcher::find)
                .mapToInt(matcher -> Integer.parseInt(matcher.group(2)))
                .max()
                .orElse(1);
    }

    private static int times(String comment, int runs) {
        Matcher matcher = RUNS.matcher(comment);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : runs;
    }
}
