package dev.caisson.engine;

import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.HostFacts;
import dev.caisson.launch.SeccompChoice;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterCache;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileLint;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.seccomp.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Compiled system call filters, each made once for a profile and a set of capabilities.
final class Filters {
    private record Key(SeccompChoice choice, long capabilities) {}

    private static final int MOST = 64;

    private final Map<Key, FilterProgram> compiled = new ConcurrentHashMap<>();
    private final KernelVersion kernel;
    private final FilterCache cache;

    /// @param directory where compiled filters are kept for the next process; its owner's alone
    Filters(HostFacts host, Path directory) {
        kernel = KernelVersion.parse(host.kernel());
        cache = new FilterCache(directory);
    }

    /// Empty where the wish, allowed to, switches the filter off.
    Optional<FilterProgram> of(ContainerSpec spec) {
        if (isOff(spec)) {
            return Optional.empty();
        }
        FilterProgram plain = plain(spec);
        if (!isWatched(spec)) {
            return Optional.of(plain);
        }
        byte[] asking = Filter.of(Architecture.host(), plain.bytes()).asking().bytes();
        return Optional.of(new FilterProgram(asking, plain.summary() + ", the engine is asked before it denies"));
    }

    /// What answers for a filter that asks; empty for one that does not.
    Optional<DenialLog> denials(ContainerSpec spec) {
        if (isOff(spec) || !isWatched(spec)) {
            return Optional.empty();
        }
        boolean complains = spec.seccomp() instanceof SeccompChoice.Watched watched && watched.complain();
        return Optional.of(new DenialLog(
                Filter.of(Architecture.host(), plain(spec).bytes()),
                () -> profile(spec.seccomp().plain()),
                target(spec.capabilities().mask()),
                complains));
    }

    private static boolean isOff(ContainerSpec spec) {
        return spec.seccomp().plain() instanceof SeccompChoice.Unconfined || spec.privileged();
    }

    /// A filter that is loaded long before the program, for want of no_new_privs, would ask about init's own calls.
    private static boolean isWatched(ContainerSpec spec) {
        return spec.seccomp() instanceof SeccompChoice.Watched && !spec.newPrivileges();
    }

    private FilterProgram plain(ContainerSpec spec) {
        if (compiled.size() >= MOST) {
            compiled.clear();
        }
        var key = new Key(spec.seccomp().plain(), spec.capabilities().mask());
        return compiled.computeIfAbsent(key, this::compile);
    }

    private Target target(long capabilities) {
        return new Target(Architecture.host(), kernel, capabilities);
    }

    /// Compiling is most of what a cold command line waits for; a cache that cannot be used costs no more than that.
    private Filter cached(SeccompChoice choice, Target target) {
        try {
            return switch (choice) {
                case SeccompChoice.Standard _ -> cache.standard(target);
                case SeccompChoice.Strict _ -> cache.strict(target);
                case SeccompChoice.Custom custom ->
                    cache.compile(custom.profile().toJson(), target);
                case SeccompChoice.Unconfined _, SeccompChoice.Watched _ ->
                    throw new IllegalArgumentException("no filter to compile");
            };
        } catch (IOException e) {
            return Compiler.compile(profile(choice), target);
        }
    }

    private static Profile profile(SeccompChoice choice) {
        return switch (choice) {
            case SeccompChoice.Standard _ -> Profile.standard();
            case SeccompChoice.Strict _ -> Profile.strict();
            case SeccompChoice.Custom custom -> custom.profile();
            case SeccompChoice.Unconfined _, SeccompChoice.Watched _ ->
                throw new IllegalArgumentException("no filter to compile");
        };
    }

    /// A profile under which no program can be started is refused here, and not by an init that dies of it.
    private static Filter startable(String name, Filter filter) {
        if (!ProfileLint.letsTheProgramStart(filter)) {
            throw new SeccompException(
                    SeccompException.Code.NEEDS_EXECVEAT,
                    "the profile " + name + " does not allow execveat, by which the program is started: "
                            + "add it to a rule that allows, see 'caisson seccomp lint'");
        }
        return filter;
    }

    private FilterProgram compile(Key key) {
        Target target = target(key.capabilities());
        Filter compiled = cached(key.choice(), target);
        Filter filter =
                key.choice() instanceof SeccompChoice.Custom custom ? startable(custom.name(), compiled) : compiled;
        String name = switch (key.choice()) {
            case SeccompChoice.Standard _ -> "standard";
            case SeccompChoice.Strict _ -> "strict";
            case SeccompChoice.Custom custom -> custom.name();
            case SeccompChoice.Unconfined _, SeccompChoice.Watched _ -> "";
        };
        return new FilterProgram(filter.bytes(), name + ": " + filter.summary());
    }
}
