package dev.caisson.engine;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Subgroup;
import dev.caisson.error.ArgumentException;
import dev.caisson.image.Account;
import dev.caisson.image.Rootfs;
import dev.caisson.launch.EnteredCheck;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launched;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Reactor;
import dev.caisson.spec.ContainerId;
import dev.caisson.watch.DenialLog;
import dev.caisson.watch.ExecFilter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs one more program in a container that runs: in namespaces of that container, a part of its control
/// group, with its limits, capabilities and filter. The JVM enters nothing.
final class Executions {
    private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    /// Programs of one container that have left something running which is answered.
    private static final int MOST_ANSWERED = 64;

    private final RunningZygote zygote;
    private final StandardStreams.Shared streams;
    private final EngineThreads threads;
    private final BiFunction<ExecFilter, ExecTarget, DenialLog> denials;
    private final Set<RunningExec> running = ConcurrentHashMap.newKeySet();
    private final Set<ExecAnswers> asked = ConcurrentHashMap.newKeySet();
    private volatile @Nullable ExecFilter lastFilter;
    private volatile @Nullable EngineException refusal;
    private final Set<ServiceLease> leases = ConcurrentHashMap.newKeySet();

    /// @param denials makes what answers a filter that asks, for the target's container
    Executions(
            RunningZygote zygote,
            StandardStreams.Shared streams,
            EngineThreads threads,
            BiFunction<ExecFilter, ExecTarget, DenialLog> denials) {
        this.zygote = zygote;
        this.streams = streams;
        this.threads = threads;
        this.denials = denials;
    }

    /// Starts one.
    /// @throws RuntimeException where it does not run; then nothing is left of it
    ///
    /// @param notes of its life, if somebody may follow it
    RunningExec start(ExecTarget target, Exec wish, Streams wanted, Optional<ExecNotes> notes) {
        if (wanted instanceof Streams.Kept) {
            throw ArgumentException.invalid("one more program of a container has no log of its own: do not keep it");
        }
        target.requireNotPaused();
        target.group().removeParts(ExecName::isStale);
        Optional<ExecFilter> filter = filter(target);
        ExecPlan plan = plan(target, wish, filter.map(ExecFilter::program));
        ExecName name = ExecName.of(
                notes.map(ExecNotes::id).orElseGet(() -> ContainerId.random().value()));
        Subgroup part = null;
        StandardStreams opened = null;
        try {
            var answers = new ExecAnswers(
                    target.group(), filter.filter(ExecFilter::asks).map(asking -> denials.apply(asking, target)));
            part = target.group().subgroup(name.text());
            var bounds = new StandardStreams.Bounds(wish.terminal().isPresent(), wish.outputLimit(), Optional.empty());
            int owner = plan.ids().base() + privileges(plan).uid();
            opened = StandardStreams.open(streams, bounds, wanted, owner, Optional.empty());
            opened.redact(OwnSecrets.redaction(target));
            Launched launched = enter(target, plan, part, opened);
            answers.pace(opened);
            var exec = new RunningExec(
                    this, target, name, plan.steps(), part, launched, opened, answers, streams.reactor(), notes);
            running.add(exec);
            requireWatched(exec);
            try {
                notes.ifPresent(ExecNotes::begins);
                exec.begin(wish.timeout());
            } catch (RuntimeException | Error e) { // it stands and waits, and nobody would let it go on
                running.remove(exec);
                launched.abandon();
                throw e;
            }
            return exec;
        } catch (RuntimeException | Error e) {
            if (opened != null) {
                opened.close();
            }
            discard(name, part);
            target.requireRunning(); // or that explains what failed
            throw e;
        }
    }

    /// Starts one that nobody waits for: it has no streams, and goes on when this engine is gone.
    ///
    /// @param id of 64 hexadecimal digits
    /// @param answered whether whoever keeps it answers its filter
    /// @param keep hands its control socket over to whoever keeps it, before it runs
    /// @throws RuntimeException where it does not run; then nothing is left of it
    void startAlone(ExecTarget target, Exec wish, String id, boolean answered, Consumer<Fd> keep) {
        target.requireNotPaused();
        target.group().removeParts(ExecName::isStale);
        Optional<ExecFilter> filter = filter(target);
        boolean asks = answered && filter.filter(ExecFilter::asks).isPresent();
        ExecPlan plan = plan(target, wish, filter.map(asks ? ExecFilter::program : ExecFilter::unasking));
        ExecName name = ExecName.of(id);
        Subgroup part = null;
        try (Fd nothing = FileSystem.open("/dev/null", FileSystem.O_RDWR)) {
            part = target.group().subgroup(name.text());
            Launched launched = enter(target, plan, part, List.of(nothing, nothing, nothing));
            try {
                EnteredCheck.require(launched.pid(), target.pid(), plan);
                keep.accept(launched.control());
            } catch (RuntimeException e) {
                throw launched.abandon(e);
            }
            launched.startAlone(asks);
            launched.awaitCall();
            launched.leave();
            name.close(); // its part goes with a later program, once it is empty
        } catch (RuntimeException | Error e) {
            discard(name, part);
            target.requireRunning(); // or that explains what failed
            throw e;
        }
    }

    private Launched enter(ExecTarget target, ExecPlan plan, Subgroup part, StandardStreams opened) {
        Launched launched = enter(target, plan, part, opened.theirs());
        try {
            opened.console(launched.console());
            opened.closeTheirs();
            EnteredCheck.require(launched.pid(), target.pid(), plan);
            return launched;
        } catch (RuntimeException e) {
            throw launched.abandon(e);
        } catch (Error e) {
            launched.abandon();
            throw e;
        }
    }

    private Launched enter(ExecTarget target, ExecPlan plan, Subgroup part, List<Fd> theirs) {
        List<Fd> namespaces = target.namespaces(plan.slots().stream()
                .filter(SlotSource.NamespaceOf.class::isInstance)
                .map(slot -> ((SlotSource.NamespaceOf) slot).namespace())
                .toList());
        try {
            return zygote.execLauncher().enter(plan, part, namespaces, theirs);
        } finally {
            namespaces.forEach(Fd::close);
        }
    }

    private static Step.SetPrivileges privileges(ExecPlan plan) {
        return plan.steps().stream()
                .filter(Step.SetPrivileges.class::isInstance)
                .map(Step.SetPrivileges.class::cast)
                .findFirst()
                .orElseThrow();
    }

    /// The containers of an engine mostly have the same one.
    private Optional<ExecFilter> filter(ExecTarget target) {
        return target.plan().all(Step.InstallFilter.class).stream().findFirst().map(install -> {
            ExecFilter last = lastFilter;
            if (last != null && last.isOf(install.program())) {
                return last;
            }
            ExecFilter made = ExecFilter.of(install.program());
            lastFilter = made;
            return made;
        });
    }

    private static ExecPlan plan(ExecTarget target, Exec wish, Optional<FilterProgram> filter) {
        Step.SetPrivileges own = target.plan().only(Step.SetPrivileges.class);
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("PATH", DEFAULT_PATH);
        target.environment().forEach(variable -> {
            int equals = variable.indexOf('=');
            variables.put(variable.substring(0, equals), variable.substring(equals + 1));
        });
        if (wish.terminal().isPresent()) {
            variables.put("TERM", "xterm");
        }
        int uid = own.uid();
        int gid = own.gid();
        List<Integer> groups = own.supplementaryGroups();
        if (wish.user().isPresent()) {
            Account account;
            try (Fd root = target.root()) {
                account = Rootfs.account(root, wish.user().get());
            }
            uid = account.uid();
            gid = account.gid();
            groups = account.groups();
            variables.put("HOME", account.home());
        }
        variables.putAll(wish.environment());
        var program = new ExecPlan.Program(
                wish.command(),
                variables.getOrDefault("PATH", DEFAULT_PATH),
                variables.entrySet().stream()
                        .map(variable -> variable.getKey() + "=" + variable.getValue())
                        .toList(),
                wish.workingDirectory()
                        .orElseGet(() -> target.plan().only(Step.Ready.class).workingDirectory()),
                wish.terminal(),
                uid,
                gid,
                groups);
        return ExecPlan.of(target.plan(), program, filter);
    }

    /// Opens the files of a container; nothing is started before somebody uses them.
    ServedFiles files(String container, EngineOptions options, Hierarchy hierarchy, LaunchGate gate) {
        var services = new FileServices(zygote, streams.reactor());
        Optional<DetachedPlace> place = DetachedPlace.find(container, options);
        if (place.isPresent()) {
            var source = new DetachedFiles(place.get(), options, hierarchy, services);
            return files(source, source.record().plan().plan(), gate);
        }
        ExecTarget target = ExecTarget.find(container, options, hierarchy);
        return files(FileSource.running(target, services), target.plan(), gate);
    }

    private ServedFiles files(FileSource source, LaunchPlan plan, LaunchGate gate) {
        var lease = new ServiceLease(outside -> gate.whileOpen(() -> source.start(outside)), source, this::forget);
        leases.add(lease);
        Step.SetPrivileges own = plan.only(Step.SetPrivileges.class);
        return new ServedFiles(lease, false, Optional.of(new ServedFiles.Owner(own.uid(), own.gid())));
    }

    /// Opens the files of a workspace; nothing is started before somebody uses them.
    ServedFiles files(WorkspaceFiles source, LaunchGate gate) {
        var lease = new ServiceLease(outside -> gate.whileOpen(() -> source.start(outside)), source, ended -> {
            forget(ended);
            source.close();
        });
        leases.add(lease);
        return new ServedFiles(lease, false, Optional.of(new ServedFiles.Owner(0, 0)));
    }

    private void forget(ServiceLease lease) {
        leases.remove(lease);
    }

    private void requireWatched(RunningExec exec) {
        EngineException why = refusal;
        if (why != null) {
            exec.breakDown(why);
            throw why;
        }
    }

    /// Ends those that run, whose ends nobody sees any more.
    void breakDown(EngineException why) {
        refusal = why;
        running.forEach(exec -> Reactor.guard(() -> exec.breakDown(why)));
    }

    /// Called when one has ended, in the thread that has seen it.
    void ended(RunningExec exec) {
        threads.clearUp(exec::finish);
    }

    void forget(RunningExec exec) {
        running.remove(exec);
    }

    /// Answers what an ended program has left running in a container that ends with its command, as long as
    /// this engine is there. A container gets no more of its descriptors than it would get of a monitor's.
    void goOnAnswering(ExecAnswers answers) {
        asked.removeIf(known -> !known.isAsked());
        if (asked.stream().filter(answers::isOfSameContainer).count() < MOST_ANSWERED) {
            asked.add(answers);
        } else {
            answers.close();
        }
    }

    /// Removes a part, unless something of the program runs on in it: that is the container's, and ends
    /// with it, or its part goes with a later program.
    /// @return whether something may run on
    static boolean discard(ExecName name, @Nullable Subgroup part) {
        name.close();
        try {
            return part != null && !part.removeIfEmpty();
        } catch (RuntimeException e) {
            System.getLogger(Executions.class.getName())
                    .log(System.Logger.Level.WARNING, "the group " + part.path() + " stays: " + e.getMessage());
            return true;
        }
    }

    /// Kills those that run, as their containers may be another process's.
    void close() {
        running.forEach(exec -> Reactor.guard(exec::kill));
        leases.forEach(lease -> Reactor.guard(lease::close));
        running.forEach(RunningExec::awaitRemoval);
        asked.forEach(ExecAnswers::close);
    }
}
