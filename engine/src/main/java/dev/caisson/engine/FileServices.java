package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.launch.EnteredCheck;
import dev.caisson.launch.ExecLauncher;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.FilesLauncher;
import dev.caisson.launch.FilesPlan;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Launched;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.Verifier;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Reactor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Starts file services: processes that are charged like their container, and end with it at the latest.
final class FileServices {
    private final RunningZygote zygote;
    private final Reactor reactor;

    FileServices(RunningZygote zygote, Reactor reactor) {
        this.zygote = zygote;
        this.reactor = reactor;
    }

    /// Starts one in a container that runs or is paused.
    ///
    /// @param outside whether it stays out of a group that is frozen; what it writes then
    ///     counts against the memory of this process, bounded by the writable layer
    FileService start(ExecTarget target, boolean outside) {
        var opened = new ArrayList<Fd>();
        try {
            List<Fd> joins = target.group().chargedJoinFds();
            opened.addAll(joins);
            Optional<Fd> directory = outside ? Optional.empty() : target.group().chargedCloneInto();
            directory.ifPresent(opened::add);
            ExecPlan plan = ExecPlan.files(target.plan(), joins.size());
            Fd life = keep(opened, lifetime(target));
            target.requireRunning();
            List<Fd> namespaces = target.namespaces(plan.slots().stream()
                    .filter(SlotSource.NamespaceOf.class::isInstance)
                    .map(slot -> ((SlotSource.NamespaceOf) slot).namespace())
                    .toList());
            opened.addAll(namespaces);
            Fd none = keep(opened, FileSystem.open("/dev/null", FileSystem.O_RDWR));
            var given =
                    new ExecLauncher.Given(directory, joins, namespaces, List.of(none, none, none), Optional.of(life));
            boolean freezes = directory.isPresent();
            return begin(target, plan, given, () -> freezes && target.group().isToldToPause());
        } finally {
            opened.forEach(Fd::close);
        }
    }

    private static Fd keep(List<Fd> opened, Fd fd) {
        opened.add(fd);
        return fd;
    }

    private static Fd lifetime(ExecTarget target) {
        try {
            return Processes.open(target.pid());
        } catch (ErrnoException e) {
            if (e.is(Errno.ESRCH)) {
                target.requireRunning(); // or it has just ended, which that tells
            }
            throw e;
        }
    }

    private FileService begin(ExecTarget target, ExecPlan plan, ExecLauncher.Given given, Supplier<Boolean> frozen) {
        Launched launched = zygote.execLauncher().enter(plan, given);
        return begin(launched, () -> EnteredCheck.require(launched.pid(), target.pid(), plan), frozen);
    }

    /// Starts one for a container that does not run, over copies of the mounts that its monitor keeps.
    ///
    /// @param container the plan of its starts
    FileService stand(LaunchPlan container, Cgroup group, Monitor monitor) throws InterruptedException {
        LaunchPlan plan = FilesPlan.of(container);
        var mounts = new HashMap<Integer, Fd>();
        try {
            for (int slot : FilesLauncher.mounts(plan)) {
                mounts.put(slot, monitor.mount(slot));
            }
            return stand(plan, mounts, group);
        } finally {
            mounts.values().forEach(Fd::close);
        }
    }

    /// Starts one over mounts of the caller's.
    ///
    /// @param plan of [FilesPlan]
    FileService stand(LaunchPlan plan, Map<Integer, Fd> mounts, Cgroup group) {
        Launched launched = zygote.filesLauncher().stand(plan, mounts, group);
        return begin(launched, () -> verify(launched, plan), group::isPaused);
    }

    private static void verify(Launched launched, LaunchPlan plan) {
        for (Verifier.Check check : new Verifier(plan).beforeStart(launched.pid())) {
            if (!check.asPlanned()) {
                throw Starter.notAsPlanned(check);
            }
        }
    }

    private FileService begin(Launched launched, Runnable check, Supplier<Boolean> frozen) {
        FileService service;
        try {
            check.run();
            service = new FileService(launched, reactor, frozen);
        } catch (RuntimeException e) {
            throw launched.abandon(e);
        } catch (Error e) {
            launched.abandon();
            throw e;
        }
        try {
            service.start();
            return service;
        } catch (RuntimeException | Error e) {
            service.close();
            throw e;
        }
    }
}
