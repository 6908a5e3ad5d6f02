package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Subgroup;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.launch.monitor.MonitorSetup;
import dev.caisson.linux.Fd;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.watch.ExecFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Plans the health checks of a container, which its monitor carries out with no engine alive.
final class HealthProbes {
    private static final String PART = "health";

    private HealthProbes() {}

    /// @throws EngineException HEALTH_UNAVAILABLE where a probe could not be ended with all that it has started
    static void requirePossible(HealthCheck health, Hierarchy hierarchy) {
        if (health.command().isPresent() && !hierarchy.hasUnified()) {
            throw new EngineException(
                    "HEALTH_UNAVAILABLE",
                    "health checks need the unified tree of control groups, which this host has not mounted:"
                            + " mount cgroup2, or give --no-healthcheck");
        }
    }

    /// Adds the checks to what a monitor is given, with a part of the container's group for them.
    /// @param closing gets descriptors that the monitor has copies of
    static void add(HealthCheck health, LaunchPlan container, Cgroup group, MonitorSetup setup, List<Fd> closing) {
        Optional<List<String>> command = health.command();
        if (command.isEmpty()) {
            return;
        }
        Optional<ExecFilter> filter = container.all(Step.InstallFilter.class).stream()
                .findFirst()
                .map(install -> ExecFilter.of(install.program()));
        ExecPlan plan = plan(container, command.get(), filter.map(ExecFilter::program));
        Subgroup part = group.subgroup(PART);
        Fd sealed = keep(closing, plan.sealed());
        Fd kill = keep(closing, part.killFile().orElseThrow());
        var joins = new ArrayList<Fd>(part.joinFds());
        closing.addAll(joins);
        joins.add(keep(closing, part.processesFile().orElseThrow()));
        var policy = new MonitorSetup.Health(
                plan,
                health.interval(),
                health.timeout(),
                health.startPeriod(),
                health.startInterval(),
                health.retries(),
                MonitorSetup.Health.OnFailure.valueOf(health.onFailure().name()),
                filter.filter(ExecFilter::asks).isPresent());
        setup.health(policy, sealed, joins, kill);
    }

    private static Fd keep(List<Fd> closing, Fd fd) {
        closing.add(fd);
        return fd;
    }

    /// Plans one probe, as the user, and with the variables and the working directory of the container's program.
    private static ExecPlan plan(LaunchPlan container, List<String> command, Optional<FilterProgram> filter) {
        Step.Execute own = container.only(Step.Execute.class);
        Step.SetPrivileges privileges = container.only(Step.SetPrivileges.class);
        var program = new ExecPlan.Program(
                command,
                own.searchPath(),
                own.environment(),
                container.only(Step.Ready.class).workingDirectory(),
                Optional.empty(),
                privileges.uid(),
                privileges.gid(),
                privileges.supplementaryGroups());
        return ExecPlan.of(container, program, filter, 1);
    }

    /// Returns the filter that the container runs under, which gives its own answers; empty where it has none.
    static Optional<FilterProgram> filter(LaunchPlan container) {
        return container.all(Step.InstallFilter.class).stream()
                .findFirst()
                .map(install -> Filter.of(Architecture.host(), install.program().bytes())
                        .unasking())
                .map(filter -> new FilterProgram(filter.bytes(), "the container's own"));
    }
}
