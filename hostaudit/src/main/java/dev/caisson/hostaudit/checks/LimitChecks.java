package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Limits;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.Numbers;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Checks of what containers may use up: the least of their own limits and all above them. CIS section 5.
final class LimitChecks {
    /// Log drivers that write files which nothing bounds but an option.
    private static final Set<String> FILES = Set.of("json-file", "k8s-file");
    private static final long MANY_FILES = 65_536;
    private static final int MAX_RETRIES = 5;

    static final List<HostRule> ALL = List.of(
            HostRule.of("memory-unbounded", LimitChecks::memory),
            HostRule.of("cpu-unbounded", LimitChecks::cpu),
            HostRule.of("pids-unbounded", LimitChecks::pids),
            HostRule.of("ulimits-inherited", LimitChecks::ulimits),
            HostRule.claimed("restart-unbounded", LimitChecks::restart),
            HostRule.claimed("log-endless", LimitChecks::log),
            ContainerRule.of("disk-unbounded", LimitChecks::disk));

    private LimitChecks() {}

    private static List<Answer> memory(Facts facts) {
        return ContainerRule.of("memory-unbounded", (container, truth) -> {
                    Limits limits = truth.limits();
                    boolean unlimited = limits.memory() < 0
                            || limits.memory() >= facts.host().memoryTotal();
                    long claimed = container.claims().memory();
                    return Answer.failIf(
                                    unlimited,
                                    Answer.subject(container),
                                    "nothing limits its memory",
                                    limits.memory() + " bytes, by " + limits.memoryHolder())
                            .claim("API", claimed == 0 ? "no limit" : claimed + " bytes")
                            .truth(
                                    "memory of the control groups",
                                    limits.memory() < 0 ? "no limit" : limits.memory() + " bytes")
                            // a claim of more than the machine has bounds nothing, as the kernel shows
                            .agreeing(claimed <= 0 || (limits.memory() >= 0 && limits.memory() <= claimed));
                })
                .judge()
                .apply(facts);
    }

    /// A quota for as many processors as there are, or more, bounds nothing.
    private static List<Answer> cpu(Facts facts) {
        int processors = facts.host().processors();
        return ContainerRule.of("cpu-unbounded", (container, truth) -> {
                    Limits limits = truth.limits();
                    boolean quota = limits.cpus() >= 0;
                    boolean bounding = quota && limits.cpus() < processors * 1000L;
                    boolean set = limits.cpuset() < processors;
                    boolean weight = !ContainerFacts.DEFAULT_SHARES.contains(limits.cpuShares());
                    String text = (quota ? limits.cpus() / 1000.0 + " processors by quota" : "no quota") + ", "
                            + limits.cpuset() + " of " + processors + " processors, weight " + limits.cpuShares();
                    long claimed = container.claims().cpus();
                    return Answer.failIf(
                                    !bounding && !set && !weight,
                                    Answer.subject(container),
                                    "nothing limits its CPU time: " + text,
                                    text)
                            .claim("API", container.claims().cpuText())
                            .truth("cpu and cpuset of the control groups", text)
                            // the kernel counts in microseconds of a period, the engine in other units
                            .agreeing(claimed <= 0 || (quota && limits.cpus() <= claimed + 1));
                })
                .judge()
                .apply(facts);
    }

    /// A limit that the machine reaches first bounds nothing.
    private static List<Answer> pids(Facts facts) {
        long most = facts.host().mostTasks();
        return ContainerRule.of("pids-unbounded", (container, truth) -> {
                    Limits limits = truth.limits();
                    long claimed = container.claims().pids();
                    return Answer.failIf(
                                    limits.pids() < 0 || limits.pids() >= most,
                                    Answer.subject(container),
                                    "nothing limits the number of its processes",
                                    limits.pids() + " processes, by " + limits.pidsHolder())
                            .claim("API", claimed <= 0 ? "no limit" : Long.toString(claimed))
                            .truth(
                                    "pids of the control groups",
                                    limits.pids() < 0
                                            ? "no limit"
                                            : limits.pids() + (limits.pids() < most ? "" : ", the kernel has " + most))
                            .agreeing(claimed <= 0 || (limits.pids() >= 0 && limits.pids() <= claimed));
                })
                .judge()
                .apply(facts);
    }

    /// Reports limits that nobody chose: the engine's own, or one so high that it is none.
    private static List<Answer> ulimits(Facts facts) {
        String engine = facts.engine()
                .flatMap(EngineFacts::process)
                .map(EngineFacts.EngineProcess::openFiles)
                .orElse("");
        boolean byDefault = facts.engine()
                .filter(found -> found.text("default-ulimits").contains("nofile"))
                .isPresent();
        return ContainerRule.of("ulimits-inherited", (container, truth) -> {
                    String files = truth.rlimits().getOrDefault("Max open files", "");
                    String hard = files.substring(files.indexOf(':') + 1);
                    boolean many =
                            hard.equals("unlimited") || (Numbers.isNumber(hard) && Long.parseLong(hard) > MANY_FILES);
                    boolean chosen = byDefault
                            || container.imageId().isEmpty()
                            || container.claims().ulimits().stream().anyMatch(limit -> limit.startsWith("nofile="));
                    boolean inherited = !chosen && files.equals(engine);
                    if (!many && !chosen && engine.isEmpty()) {
                        return Answer.notEvaluated(
                                Answer.subject(container), "the engine's own limit, which it may have, is not known");
                    }
                    return Answer.failIf(
                                    many || inherited,
                                    Answer.subject(container),
                                    "open files " + files + (inherited ? ", as the engine itself has it" : ""),
                                    "open files " + files)
                            .claim("API", container.claims().ulimits().toString())
                            .truth("/proc/PID/limits", "open files " + files);
                })
                .judge()
                .apply(facts);
    }

    private static Answer restart(ContainerFacts container) {
        String policy = container.claims().restart();
        long count = container.claims().restartCount();
        boolean endless = policy.equals("always")
                || policy.equals("unless-stopped")
                || (policy.equals("on-failure") && (count == 0 || count > MAX_RETRIES));
        String text = policy.isEmpty() ? "no" : policy + (policy.equals("on-failure") ? ":" + count : "");
        return Answer.failIf(
                        endless,
                        Answer.subject(container),
                        "its restart policy is " + text,
                        "its restart policy is " + text)
                .claim("API", text);
    }

    private static Answer log(ContainerFacts container) {
        String driver = container.claims().logDriver();
        Map<String, String> options = container.claims().logOptions();
        boolean endless = FILES.contains(driver) && !options.containsKey("max-size");
        return Answer.failIf(
                        endless,
                        Answer.subject(container),
                        driver + " without max-size keeps everything",
                        "log driver " + driver + " " + options)
                .claim("API", driver + " " + options);
    }

    private static Answer disk(ContainerFacts container, Truth truth) {
        boolean readOnly =
                MountChecks.root(truth).filter(ContainerFacts.Mount::readOnly).isPresent();
        String size = container.claims().storageOptions().getOrDefault("size", "");
        boolean tmpfs = MountChecks.root(truth)
                .filter(mount -> mount.type().equals("tmpfs"))
                .isPresent();
        return Answer.failIf(
                        !readOnly && size.isEmpty() && !tmpfs,
                        Answer.subject(container),
                        "its writable layer has no size",
                        readOnly ? "its root cannot be written" : "its writable layer is limited to " + size)
                .claim("API", size.isEmpty() ? "no size" : size)
                .truth("/proc/PID/mountinfo", readOnly ? "read-only" : "writable");
    }
}
