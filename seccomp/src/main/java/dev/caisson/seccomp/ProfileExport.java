package dev.caisson.seccomp;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntUnaryOperator;

/// A profile for engines that compile with libseccomp, resolved for one target, which decides there what the original
/// decides here. Its rules for one call never overlap and have only masked equalities, at most one an argument: the
/// forms whose meaning depends on no order of rules and on no width of an argument.
///
/// @param profile without `includes` and `excludes`
/// @param notes what a user should know, a sentence each: errors that differ, and calls that come in by two ways
public record ProfileExport(Profile profile, List<String> notes) {
    /// Bounds the cases of one call, each a rule that an engine compiles at every start.
    private static final int MOST_CASES = 1024;

    /// The most instructions that libseccomp needs for half of an argument: a load, a mask and a jump.
    private static final int WORD_LENGTH = 3;

    /// ABIs under which libseccomp lets a call in by its own number and by that of a call that carries others, too.
    private static final Set<Architecture> CARRYING =
            Set.of(Architecture.X86, Architecture.S390X, Architecture.PPC64LE);

    private static final Map<String, Set<String>> CARRIED = Map.of(
            "socketcall",
            Set.of(
                    "accept",
                    "accept4",
                    "bind",
                    "connect",
                    "getpeername",
                    "getsockname",
                    "getsockopt",
                    "listen",
                    "recv",
                    "recvfrom",
                    "recvmmsg",
                    "recvmsg",
                    "send",
                    "sendmmsg",
                    "sendmsg",
                    "sendto",
                    "setsockopt",
                    "shutdown",
                    "socket",
                    "socketpair"),
            "ipc",
            Set.of(
                    "msgctl",
                    "msgget",
                    "msgrcv",
                    "msgsnd",
                    "semctl",
                    "semget",
                    "semop",
                    "semtimedop",
                    "shmat",
                    "shmctl",
                    "shmdt",
                    "shmget"));

    public ProfileExport {
        notes = List.copyOf(notes);
    }

    /// Exports a profile.
    /// @throws SeccompException NOT_EXPORTABLE with the calls whose decisions libseccomp cannot be told
    public static ProfileExport of(Profile profile, Target target) {
        return new Export(profile, target).export();
    }

    /// The decision of an ABI for a call.
    /// @param bits of each argument that the kernel looks at
    private record Meaning(Decisions.Decision decision, IntUnaryOperator bits) {}

    private static final class Export {
        private final Profile profile;
        private final Target target;
        private final Set<Architecture> abis;
        private final Set<String> named = new TreeSet<>();
        private final Map<String, Map<Architecture, Meaning>> meanings = new TreeMap<>();
        private final Map<String, List<ArgumentRegions.Region>> exported = new TreeMap<>();
        private final Set<String> refused = new TreeSet<>();
        private final List<String> notes = new ArrayList<>();

        private Export(Profile profile, Target target) {
            this.profile = profile;
            this.target = target;
            this.abis = profile.abisOn(target.architecture());
            profile.rules().stream().filter(rule -> rule.appliesTo(target)).forEach(rule -> named.addAll(rule.names()));
            var resolved = new Decisions(profile, target);
            for (Architecture abi : abis) {
                resolved.of(abi).forEach((number, decision) -> {
                    Syscall call = SyscallTable.get().byNumber(abi, number).orElseThrow();
                    Architecture numbering = Architecture.numbering(abi, number);
                    meanings.computeIfAbsent(call.name(), name -> new EnumMap<>(Architecture.class))
                            .put(abi, new Meaning(decision, index -> call.bits(numbering, index)));
                });
            }
        }

        private ProfileExport export() {
            meanings.forEach(this::export);
            abis.stream().filter(CARRYING::contains).forEach(this::checkCarried);
            checkLength();
            if (!refused.isEmpty()) {
                throw new SeccompException(
                        SeccompException.Code.NOT_EXPORTABLE,
                        "libseccomp cannot be told the same of " + String.join("; of ", refused));
            }
            tellOtherErrors();
            return new ProfileExport(
                    new Profile(
                            profile.defaultAction(),
                            Map.of(target.architecture(), profile.abis().getOrDefault(target.architecture(), Set.of())),
                            profile.flags(),
                            profile.listenerPath(),
                            profile.listenerMetadata(),
                            rules()),
                    notes);
        }

        private void export(String name, Map<Architecture, Meaning> byAbi) {
            Architecture first = byAbi.containsKey(target.architecture())
                    ? target.architecture()
                    : byAbi.keySet().iterator().next();
            Meaning meaning = meaning(name, first);
            try {
                List<ArgumentRegions.Region> regions =
                        ArgumentRegions.of(meaning.decision(), meaning.bits(), profile.defaultAction());
                if (regions.size() > MOST_CASES) {
                    throw new ArgumentRegions.TooManyException();
                }
                if (named.contains(name)) {
                    byAbi.forEach((abi, other) -> requireSame(name, regions, abi, other));
                }
                exported.put(name, regions);
            } catch (ArgumentRegions.TooManyException e) {
                refused.add(name + ", whose rules make more than " + MOST_CASES
                        + " cases: use fewer or simpler conditions");
            }
        }

        private void requireSame(String name, List<ArgumentRegions.Region> regions, Architecture abi, Meaning meaning) {
            boolean wide = abi.wordBits() == Long.SIZE;
            if (!wide
                    && !ArgumentRegions.meansTheSame(
                            regions, meaning.decision(), meaning.bits(), profile.defaultAction())) {
                refused.add(name + ", whose arguments have other widths under " + abi + ": leave " + abi
                        + " out of archMap, or decide without those arguments");
            }
        }

        /// The default action for a call that the ABI does not have.
        private Meaning meaning(String name, Architecture abi) {
            return meanings.getOrDefault(name, Map.of())
                    .getOrDefault(
                            abi,
                            new Meaning(
                                    new Decisions.Decision(List.of(), profile.defaultAction()), index -> Long.SIZE));
        }

        /// Refuses rules of which libseccomp would make a filter that the kernel does not take.
        private void checkLength() {
            int sum = 0;
            var longest = "";
            int most = 0;
            for (Map.Entry<String, List<ArgumentRegions.Region>> entry : exported.entrySet()) {
                int length = 1;
                for (ArgumentRegions.Region region : entry.getValue()) {
                    for (Condition condition : region.conditions()) {
                        length += (int) condition.value() == 0 ? 0 : WORD_LENGTH;
                        length += condition.value() >>> Integer.SIZE == 0 ? 0 : WORD_LENGTH;
                    }
                }
                sum += length * meanings.getOrDefault(entry.getKey(), Map.of()).size();
                longest = length > most ? entry.getKey() : longest;
                most = Math.max(most, length);
            }
            if (sum > Assembler.MAX_LENGTH && refused.isEmpty()) {
                refused.add("all calls in the " + Assembler.MAX_LENGTH
                        + " instructions of a filter: use fewer or simpler" + " conditions, above all for " + longest);
            }
        }

        /// Refuses calls that libseccomp would let in by a carrying call against the profile.
        private void checkCarried(Architecture abi) {
            CARRIED.forEach((carrier, carried) -> {
                List<String> let = carried.stream()
                        .filter(name -> isKnown(name, abi) && !regions(name).isEmpty())
                        .sorted()
                        .toList();
                Decisions.Decision decision = meaning(carrier, abi).decision();
                boolean whole = !decision.dependsOnArguments();
                boolean ruled = whole && !decision.otherwise().equals(profile.defaultAction());
                if (!isKnown(carrier, abi) || ruled || let.isEmpty()) {
                    return;
                }
                List<String> partly = let.stream()
                        .filter(name -> regions(name).stream()
                                .anyMatch(region -> !region.conditions().isEmpty()))
                        .toList();
                if (whole && partly.isEmpty()) {
                    notes.add(abi + ": libseccomp decides " + String.join(", ", let)
                            + " in the same way when they come in by " + carrier);
                } else {
                    refused.add(String.join(", ", partly.isEmpty() ? let : partly) + ", which libseccomp decides by "
                            + carrier + " too under " + abi + ", where their arguments cannot be seen: give " + carrier
                            + " a rule without conditions, or leave " + abi + " out of archMap");
                }
            });
        }

        private boolean isKnown(String name, Architecture abi) {
            return meanings.getOrDefault(name, Map.of()).containsKey(abi);
        }

        private List<ArgumentRegions.Region> regions(String name) {
            return exported.getOrDefault(name, List.of());
        }

        /// A call that the profile does not name gets ENOSYS where it is newer than all that are named, which depends
        /// on the ABI's numbers; libseccomp takes names.
        private void tellOtherErrors() {
            for (Architecture abi : abis) {
                List<String> other = meanings.keySet().stream()
                        .filter(name -> !named.contains(name) && isKnown(name, abi))
                        .filter(name ->
                                !meaning(name, abi).decision().otherwise().equals(exportedAction(name)))
                        .toList();
                if (!other.isEmpty()) {
                    notes.add(abi + ": denied with the error that " + target.architecture() + " gets: "
                            + String.join(", ", other));
                }
            }
        }

        private Action exportedAction(String name) {
            return regions(name).isEmpty()
                    ? profile.defaultAction()
                    : regions(name).getFirst().action();
        }

        /// Calls with the same region and action share a rule.
        private List<Rule> rules() {
            Map<ArgumentRegions.Region, List<String>> names = new LinkedHashMap<>();
            exported.forEach((name, regions) -> regions.forEach(region ->
                    names.computeIfAbsent(region, key -> new ArrayList<>()).add(name)));
            var rules = new ArrayList<Rule>();
            names.forEach((region, calls) ->
                    rules.add(new Rule(calls, region.action(), region.conditions(), Selector.NONE, Selector.NONE, "")));
            return rules;
        }
    }
}
