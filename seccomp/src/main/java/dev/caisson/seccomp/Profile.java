package dev.caisson.seccomp;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A seccomp profile: which calls a container may make. Read from the JSON that Docker's `default.json` and the OCI's
/// `linux.seccomp` use.
///
/// Decides a call by the rules that name it and apply to the target:
///
/// 1. of the rules with conditions that all hold, the most restrictive action; where two have the same kind of
///    action, the one that stands first;
/// 2. if there is none, the same of the rules without conditions;
/// 3. if there is none, the default action.
///
/// If the default action is an error, a call gets ENOSYS instead if the table does not know its number, if the
/// target's kernel is older than the call, or if its number lies above every call that the profile names for that ABI:
/// the program then takes the way it would take on a kernel without the call.
///
/// A call that enters by an ABI which the profile does not list kills the process, as a kernel without that ABI would;
/// a number with the X32 bit gets ENOSYS if X32 is not listed.
/// @param abis for a native architecture, the further ABIs of the same machine that are let in
public record Profile(
        Action defaultAction,
        Map<Architecture, Set<Architecture>> abis,
        Set<Flag> flags,
        String listenerPath,
        String listenerMetadata,
        List<Rule> rules) {
    private static final String RESOURCES = "/dev/caisson/seccomp/";

    /// `SECCOMP_FILTER_FLAG_…` of seccomp(2), as the OCI specification names them.
    public enum Flag {
        TSYNC,
        LOG,
        SPEC_ALLOW,
        WAIT_KILLABLE_RECV
    }

    public Profile {
        var copy = new EnumMap<Architecture, Set<Architecture>>(Architecture.class);
        abis.forEach((architecture, others) -> copy.put(architecture, Set.copyOf(others)));
        abis = Map.copyOf(copy);
        flags = Set.copyOf(flags);
        rules = List.copyOf(rules);
    }

    /// Reads a profile from JSON.
    /// @throws SeccompException with the code and the place of the first thing that is wrong
    public static Profile parse(String json) {
        return ProfileReader.read(json);
    }

    /// The profile as JSON that [#parse] reads.
    public String toJson() {
        return ProfileWriter.write(this);
    }

    /// Caisson's default profile: what programs of a distribution use, typed arguments, the native ABI alone.
    public static Profile standard() {
        return parse(resource("standard.json"));
    }

    /// Returns the profile for pure computation: a program that reads and writes what it was given open, and allocates
    /// memory.
    public static Profile strict() {
        return parse(resource("strict.json"));
    }

    /// The same profile, with the rules of the restrictions.
    public Profile under(Collection<Restriction> restrictions) {
        var all = new ArrayList<>(rules);
        restrictions.forEach(restriction -> all.addAll(parse(restriction.json()).rules()));
        return new Profile(defaultAction, abis, flags, listenerPath, listenerMetadata, all);
    }

    /// The same profile, which also lets in the other ABIs that the machine can run, for images with 32-bit programs.
    public Profile withCompatibleAbis() {
        var all = new EnumMap<Architecture, Set<Architecture>>(Architecture.class);
        for (Architecture architecture : Architecture.values()) {
            all.put(architecture, architecture.compatible());
        }
        return new Profile(defaultAction, all, flags, listenerPath, listenerMetadata, rules);
    }

    /// Every ABI that is let in on a machine: its native one and those the profile adds.
    Set<Architecture> abisOn(Architecture machine) {
        var set = EnumSet.of(machine);
        set.addAll(abis.getOrDefault(machine, Set.of()));
        set.removeIf(abi -> abi != machine && !machine.compatible().contains(abi));
        return set;
    }

    /// The decision for a number that the table gives no call.
    Action unknownAction() {
        return defaultAction.kind() == Action.Kind.ERRNO ? Action.errno(Action.ENOSYS) : defaultAction;
    }

    static String resource(String name) {
        try (InputStream stream = Profile.class.getResourceAsStream(RESOURCES.concat(name))) {
            if (stream == null) {
                throw new IllegalStateException("the module lacks its resource " + name);
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
