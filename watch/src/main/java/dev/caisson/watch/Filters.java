package dev.caisson.watch;

import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.HostFacts;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.CallExplainer;
import dev.caisson.seccomp.Compiler;
import dev.caisson.seccomp.Explainer;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.FilterCache;
import dev.caisson.seccomp.FilterExplainer;
import dev.caisson.seccomp.KernelVersion;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.ProfileLint;
import dev.caisson.seccomp.Restriction;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.seccomp.Target;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.SeccompChoice.Watch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/// Compiled system call filters, each made once for a profile and a set of capabilities.
public final class Filters {
    /// Not a record, whose equality would be made when it is first asked for: a command has one key.
    private static final class Key {
        private final SeccompChoice choice;
        private final long capabilities;
        private final List<Restriction> restrictions;

        Key(SeccompChoice choice, long capabilities, List<Restriction> restrictions) {
            this.choice = choice;
            this.capabilities = capabilities;
            this.restrictions = restrictions;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key
                    && capabilities == key.capabilities
                    && restrictions.equals(key.restrictions)
                    && Objects.equals(choice, key.choice);
        }

        @Override
        public int hashCode() {
            return 31 * choice.getClass().hashCode() + Long.hashCode(capabilities);
        }
    }

    private static final int MOST = 64;
    private static final List<List<Restriction>> RESTRICTIONS = List.of(
            List.of(), List.of(Restriction.VOLUMES), List.of(Restriction.VOLUMES, Restriction.WRITABLE_VOLUMES));

    /// A filter, and what a plan says of it before what the engine does.
    private record Plain(Filter filter, String summary) {
        FilterProgram program() {
            return new FilterProgram(filter.bytes(), summary);
        }
    }

    private final Map<Key, Plain> compiled = new ConcurrentHashMap<>();
    private final KernelVersion kernel;
    private final FilterCache cache;

    /// @param directory where compiled filters are kept for the next process; its owner's alone
    public Filters(HostFacts host, Path directory) {
        kernel = KernelVersion.parse(host.kernel());
        cache = new FilterCache(directory);
    }

    /// Empty where the wish, allowed to, switches the filter off and is not recorded by it.
    /// @throws WatchException NOT_WATCHABLE where the engine cannot be asked, and denying in
    ///     silence is not what was wished
    public Optional<FilterProgram> of(ContainerSpec spec) {
        Optional<Watch> wanted = watch(spec);
        if (isOff(spec) && !wanted.equals(Optional.of(Watch.RECORD))) {
            return Optional.empty();
        }
        Plain plain = plain(spec);
        if (wanted.isEmpty()) {
            return Optional.of(plain.program());
        }
        Watch watch = wanted.get();
        String reason = unwatchable(spec);
        if (!reason.isEmpty()) {
            if (watch != Watch.TELL) {
                throw new WatchException(
                        "NOT_WATCHABLE", "the engine cannot be asked about calls under this filter: " + reason);
            }
            return Optional.of(program(plain.filter(), plain, "not watched: " + reason));
        }
        Filter filter = plain.filter();
        return Optional.of(
                switch (watch) {
                    case TELL -> program(filter.asking(), plain, "the engine is asked before it denies");
                    case COMPLAIN -> program(filter.asking(), plain, "what it would deny passes and is told");
                    case LEARN -> program(filter.learning(), plain, "what it would deny passes and is learned");
                    case RECORD -> program(filter.recording(), plain, "the engine is asked about every call");
                });
    }

    private static FilterProgram program(Filter filter, Plain plain, String how) {
        return new FilterProgram(filter.bytes(), plain.summary() + ", " + how);
    }

    /// Returns the log that answers for a filter that asks; empty for one that does not.
    public Optional<DenialLog> denials(ContainerSpec spec, Supplier<Listeners> with) {
        Optional<Watch> wanted = watch(spec);
        if (wanted.isEmpty()
                || (isOff(spec) && wanted.get() != Watch.RECORD)
                || !unwatchable(spec).isEmpty()) {
            return Optional.empty();
        }
        Filter filter = plain(spec).filter();
        return Optional.of(new DenialLog(
                new DenialSubject(
                        filter, () -> profile(spec), target(spec.capabilities().mask()), wanted.get()),
                with.get()));
    }

    /// Returns the log that answers for one more program of a container, under a filter that asks.
    /// @param spec the container's, if it is known; it is read when the first call is denied
    /// @param capabilities the container's
    public DenialLog denials(
            ExecFilter exec, Supplier<Optional<ContainerSpec>> spec, long capabilities, Supplier<Listeners> with) {
        Filter answering = exec.answering();
        return new DenialLog(
                answering,
                () -> spec.get().map(this::explainer).orElseGet(() -> explainer(answering, capabilities)),
                with.get());
    }

    private CallExplainer explainer(ContainerSpec spec) {
        return new Explainer(profile(spec), target(spec.capabilities().mask()));
    }

    /// Explains by the profile of Caisson's own that the filter was made of, or by its instructions.
    private CallExplainer explainer(Filter filter, long capabilities) {
        Target target = target(capabilities);
        for (SeccompChoice choice : List.of(new SeccompChoice.Standard(), new SeccompChoice.Strict())) {
            for (List<Restriction> restrictions : RESTRICTIONS) {
                if (Arrays.equals(cached(choice, target, restrictions).bytes(), filter.bytes())) {
                    return new Explainer(profile(choice).under(restrictions), target);
                }
            }
        }
        return new FilterExplainer(filter);
    }

    /// Returns the profile that a container's filter is made of.
    static Profile profile(ContainerSpec spec) {
        return isOff(spec)
                ? new Profile(Action.ALLOW, Map.of(), Set.of(), "", "", List.of())
                : profile(spec.seccomp().plain()).under(restrictions(spec));
    }

    /// Returns the spec of a container whose monitor answers what its filter asks: the same, or with a filter that asks
    /// nobody if the program could not hand over the listener. Denied calls are denied all the same.
    public ContainerSpec answeredByMonitor(ContainerSpec spec) {
        if (!(spec.seccomp() instanceof SeccompChoice.Watched watched)) {
            return spec;
        }
        boolean asks = !isOff(spec)
                && unwatchable(spec).isEmpty()
                && plain(spec).filter().letsSendMessages();
        return asks ? spec : spec.seccomp(watched.choice());
    }

    private static boolean isOff(ContainerSpec spec) {
        return spec.seccomp().plain() instanceof SeccompChoice.Unconfined || spec.privileged();
    }

    private static Optional<Watch> watch(ContainerSpec spec) {
        return spec.seccomp() instanceof SeccompChoice.Watched watched
                ? Optional.of(watched.watch())
                : Optional.empty();
    }

    /// Returns why the engine cannot be asked; empty if it can. Caisson's own profiles are known to be fit for it.
    private String unwatchable(ContainerSpec spec) {
        if (spec.newPrivileges()) {
            return "it is loaded long before the program, and would ask about init's own calls";
        }
        if (spec.seccomp().plain() instanceof SeccompChoice.Custom
                && !isOff(spec)
                && !plain(spec).filter().canAsk()) {
            return "it does more about some execveat than to allow or to fail it, and the engine would have to do so";
        }
        return "";
    }

    private Plain plain(ContainerSpec spec) {
        if (isOff(spec)) {
            return new Plain(Filter.allowing(Architecture.host()), "everything");
        }
        if (compiled.size() >= MOST) {
            compiled.clear();
        }
        var key = new Key(spec.seccomp().plain(), spec.capabilities().mask(), restrictions(spec));
        return compiled.computeIfAbsent(key, this::compile);
    }

    /// Returns the restrictions that every profile gets for the sake of the host's files.
    private static List<Restriction> restrictions(ContainerSpec spec) {
        boolean volumes = false;
        boolean writable = false;
        for (Mount mount : spec.mounts()) {
            switch (mount) {
                case Mount.Bind bind -> {
                    volumes = true;
                    writable |= !bind.readOnly();
                }
                // Other containers have the same files. Nobody but root of the host comes to them by a path, so that
                // a set-user-ID bit has no effect anywhere.
                case Mount.Workspace _, Mount.Volume _, Mount.ImageFiles _ -> volumes = true;
                case Mount.Tmpfs _, Mount.Secrets _ -> {}
            }
        }
        if (writable && !spec.allowances().contains(Allowance.SETUID_FILES)) {
            return RESTRICTIONS.get(2);
        }
        return RESTRICTIONS.get(volumes ? 1 : 0);
    }

    private Target target(long capabilities) {
        return new Target(Architecture.host(), kernel, capabilities);
    }

    /// Compiling is most of what a cold command line waits for; a cache that cannot be used costs no more than that.
    private Filter cached(SeccompChoice choice, Target target, List<Restriction> restrictions) {
        try {
            return switch (choice) {
                case SeccompChoice.Standard _ -> cache.standard(target, restrictions);
                case SeccompChoice.Strict _ -> cache.strict(target, restrictions);
                case SeccompChoice.Custom custom -> custom(custom, target, restrictions);
                case SeccompChoice.Unconfined _, SeccompChoice.Watched _ ->
                    throw new IllegalArgumentException("no filter to compile");
            };
        } catch (IOException e) {
            return Compiler.compile(profile(choice).under(restrictions), target);
        }
    }

    private Filter custom(SeccompChoice.Custom custom, Target target, List<Restriction> restrictions)
            throws IOException {
        try {
            return cache.compile(custom.json(), target, restrictions);
        } catch (SeccompException e) {
            throw e.in(custom.name());
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

    private Plain compile(Key key) {
        Target target = target(key.capabilities);
        Filter compiled = cached(key.choice, target, key.restrictions);
        Filter filter =
                key.choice instanceof SeccompChoice.Custom custom ? startable(custom.name(), compiled) : compiled;
        String name = switch (key.choice) {
            case SeccompChoice.Standard _ -> "standard";
            case SeccompChoice.Strict _ -> "strict";
            case SeccompChoice.Custom custom -> custom.name();
            case SeccompChoice.Unconfined _, SeccompChoice.Watched _ -> "";
        };
        return new Plain(
                filter, name.concat(suffix(key.restrictions)).concat(": ").concat(filter.sentence()));
    }

    private static String suffix(List<Restriction> restrictions) {
        if (restrictions.isEmpty()) {
            return "";
        }
        return restrictions.contains(Restriction.WRITABLE_VOLUMES) ? " for writable volumes" : " for volumes";
    }
}
