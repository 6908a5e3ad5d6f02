package dev.caisson.launch;

import static java.util.Objects.requireNonNull;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.ByteText;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// The only gate: every face's wish passes here, and nothing else decides what is allowed. It asks the host nothing:
/// what it must know stands in [HostFacts], [TrustedPaths] and [HostObjects].
///
/// It looks at the normal form, not at the spelling that it came in: two spellings, one answer.
public final class Policy {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");
    private static final Pattern HOST_NAME =
            Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9-]{0,62})(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}))*");
    private static final int MAX_HOST_NAME = 64;
    private static final int MAX_STRING = 128 * 1024;
    private static final int MAX_MOUNTS = 64;
    private static final int MAX_SYSCTLS = 256;

    /// Paths of the engine's own file systems; nothing may be put over or into them.
    private static final List<InRootPath> RESERVED =
            List.of(InRootPath.of("proc"), InRootPath.of("sys"), InRootPath.of("dev"));

    /// That of a [ContainerSpec] which names none.
    static final int USUAL_OOM_SCORE = 500;

    private Policy() {}

    /// A wish that has passed.
    public static final class Approved {
        private final ContainerSpec spec;
        private final List<DeviceNode> nodes;

        private Approved(ContainerSpec spec, List<DeviceNode> nodes) {
            this.spec = spec;
            this.nodes = List.copyOf(nodes);
        }

        /// No path of the host in it leads through a link, and its limits have a rule for each of its devices.
        public ContainerSpec spec() {
            return spec;
        }

        /// Returns the nodes of the devices of [#spec], in their order.
        List<DeviceNode> nodes() {
            return nodes;
        }
    }

    /// Lets the wish pass or says everything that stands against it.
    ///
    /// @param trusted what belongs to the host and to the engine itself
    /// @param objects what the host has at the paths of the wish
    /// @throws RefusedException with all findings
    public static Approved approve(ContainerSpec spec, HostFacts host, TrustedPaths trusted, HostObjects objects) {
        List<Finding> findings = check(spec, host, trusted, objects);
        if (!findings.isEmpty()) {
            throw new RefusedException(findings);
        }
        List<HostDeviceRules.Found> devices = HostDeviceRules.find(spec, objects.devices());
        ContainerSpec resolved = spec.mounts(spec.mounts().stream()
                        .map(mount -> resolved(mount, objects.sources()))
                        .toList())
                .devices(devices.stream().map(HostDeviceRules.Found::device).toList())
                .limits(HostDeviceRules.limits(spec.limits(), devices));
        return new Approved(
                resolved, devices.stream().map(HostDeviceRules.Found::node).toList());
    }

    private static Mount resolved(Mount mount, Map<Path, Path> sources) {
        return mount instanceof Mount.Bind(Path source, InRootPath target, boolean readOnly, boolean file)
                ? new Mount.Bind(requireNonNull(sources.get(source)), target, readOnly, file)
                : mount;
    }

    static List<Finding> check(ContainerSpec spec, HostFacts host, TrustedPaths trusted, HostObjects objects) {
        var findings = new ArrayList<Finding>();
        checkNames(spec, findings);
        checkTexts(spec, findings);
        checkWorkingDirectory(spec, findings);
        checkMounts(spec, trusted, objects.sources(), findings);
        HostDeviceRules.check(spec, findings);
        checkPrivileges(spec, findings);
        checkSysctls(spec, findings);
        checkProcessLimits(spec, host, findings);
        checkDeadlines(spec, findings);
        PlacementRules.check(spec, host, findings);
        NetworkRules.check(spec, findings);
        return findings;
    }

    private static void checkNames(ContainerSpec spec, List<Finding> findings) {
        spec.name()
                .filter(name -> !NAME.matcher(name).matches())
                .ifPresent(name -> findings.add(new Finding(
                        "NAME_INVALID",
                        "a name is 1 to 128 letters, digits, '_', '.' or '-', and starts with a letter or digit")));
        spec.hostName()
                .filter(name -> name.length() > MAX_HOST_NAME
                        || !HOST_NAME.matcher(name).matches())
                .ifPresent(name -> findings.add(new Finding(
                        "HOSTNAME_INVALID",
                        "a host name is at most 64 letters, digits, '-' and '.', no part empty or starting with '-'")));
        if (spec.hostName().isPresent() && spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.UTS)) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "a host name cannot be set where the host's UTS namespace is shared: give one of the two"));
        }
    }

    private static void checkTexts(ContainerSpec spec, List<Finding> findings) {
        var texts = new ArrayList<>(spec.command());
        spec.entrypoint().ifPresent(texts::addAll);
        spec.environment().forEach((variable, value) -> {
            if (variable.isEmpty() || variable.indexOf('=') >= 0) {
                findings.add(new Finding("ENVIRONMENT_INVALID", "a variable's name is not empty and has no '='"));
            }
            texts.add(variable + "=" + value);
        });
        spec.mounts().stream()
                .filter(Mount.Secrets.class::isInstance)
                .flatMap(mount -> ((Mount.Secrets) mount).files().stream())
                .flatMap(file -> file.asVariable().stream())
                .filter(spec.environment()::containsKey)
                .forEach(name -> findings.add(new Finding(
                        "OPTIONS_CONTRADICT",
                        "the variable " + name + " has a value and is to be a secret too: give one of the two")));
        requireUtf8(spec, findings);
        if (!texts.stream().allMatch(ByteText::isText)) {
            findings.add(new Finding(
                    "TEXT_INVALID",
                    "arguments and variables cannot hold half of a surrogate pair: give whole characters"));
            return;
        }
        if (texts.stream().anyMatch(text -> text.indexOf('\0') >= 0)) {
            findings.add(new Finding("TEXT_INVALID", "arguments and variables cannot hold a NUL character"));
        }
        if (texts.stream().anyMatch(text -> ByteText.bytes(text).length >= MAX_STRING)) {
            findings.add(new Finding(
                    "TEXT_TOO_LONG", "the kernel takes no argument or variable of 128 KiB or more: pass it in a file"));
        }
    }

    /// The program's own texts are bytes for the kernel; these are written down and read by people.
    private static void requireUtf8(ContainerSpec spec, List<Finding> findings) {
        var texts = new ArrayList<>(spec.labels().keySet());
        texts.addAll(spec.labels().values());
        texts.addAll(spec.addedGroups());
        spec.user().ifPresent(texts::add);
        if (!texts.stream().allMatch(ByteText::isUtf8)) {
            findings.add(new Finding("TEXT_INVALID", "labels, users and groups are UTF-8: give them in UTF-8"));
        }
    }

    private static void checkWorkingDirectory(ContainerSpec spec, List<Finding> findings) {
        spec.workingDirectory().ifPresent(directory -> {
            try {
                requireOrdinaryDirectory(InRootPath.parse(directory));
            } catch (ArgumentException e) {
                findings.add(new Finding("WORKING_DIRECTORY", "the working directory: " + e.sentence()));
            }
        });
    }

    /// A working directory below /proc could be a descriptor that leads out of the container
    /// (CVE-2024-21626).
    static void requireOrdinaryDirectory(InRootPath directory) {
        if (directory.isWithin(InRootPath.of("proc"))) {
            throw ArgumentException.invalid("it cannot lie below /proc: choose a directory of the image");
        }
    }

    private static void checkMounts(
            ContainerSpec spec, TrustedPaths trusted, Map<Path, Path> sources, List<Finding> findings) {
        if (spec.mounts().size() > MAX_MOUNTS) {
            findings.add(new Finding("MOUNTS_TOO_MANY", "a container takes at most " + MAX_MOUNTS + " mounts"));
        }
        var targets = new HashSet<InRootPath>();
        for (Mount mount : spec.mounts()) {
            checkTarget(mount.target(), targets, findings);
            switch (mount) {
                case Mount.Bind bind -> checkSource(bind, spec, trusted, sources, findings);
                case Mount.Workspace _,
                        Mount.Volume _,
                        Mount.ImageFiles _,
                        Mount.Secrets _ -> {} // their names are valid; that they exist is found when they are opened
                case Mount.Tmpfs tmpfs -> {
                    if (tmpfs.size().count() < 4096 || tmpfs.size().isUnlimited()) {
                        findings.add(
                                new Finding("TMPFS_SIZE", "a tmpfs has a size of at least 4096 bytes, as size=64m"));
                    }
                    if (tmpfs.mode() < 0 || tmpfs.mode() > 01777) {
                        findings.add(new Finding("TMPFS_MODE", "a tmpfs has a mode from 0 to 1777"));
                    }
                }
            }
        }
    }

    private static void checkTarget(InRootPath target, Set<InRootPath> targets, List<Finding> findings) {
        if (target.isRoot()) {
            findings.add(
                    new Finding("MOUNT_TARGET", "nothing can be mounted over the root: use dir:PATH as the image"));
        }
        for (InRootPath reserved : RESERVED) {
            if (target.isWithin(reserved)) {
                findings.add(new Finding(
                        "MOUNT_TARGET",
                        "nothing can be mounted at " + target + ": " + reserved + " belongs to the engine"));
            }
        }
        if (!targets.add(target)) {
            findings.add(new Finding("OPTIONS_CONTRADICT", "two mounts have the target " + target + ": give one"));
        }
    }

    private static void checkSource(
            Mount.Bind bind,
            ContainerSpec spec,
            TrustedPaths trusted,
            Map<Path, Path> sources,
            List<Finding> findings) {
        Path source = bind.source();
        if (!source.isAbsolute()) {
            findings.add(new Finding("MOUNT_SOURCE", "a host path is absolute; a volume is another kind of mount"));
            return;
        }
        if (!source.equals(source.normalize())) {
            findings.add(new Finding("MOUNT_SOURCE", "the host path " + source + " holds '.' or '..': write it out"));
            return;
        }
        Path real = sources.get(source);
        if (real == null) {
            findings.add(new Finding("MOUNT_SOURCE", "the host path " + source + " does not exist: make it first"));
            return;
        }
        if (trusted.touches(real) && !spec.allowances().contains(Allowance.HOST_PATHS)) {
            findings.add(sensitive(source));
        }
    }

    private static Finding sensitive(Path source) {
        return new Finding(
                "ALLOWANCE_NEEDED",
                source + " is a part of the host that others trust: choose another path, or add --allow host-paths");
    }

    private static void checkPrivileges(ContainerSpec spec, List<Finding> findings) {
        require(spec, spec.privileged(), Allowance.PRIVILEGED, "privileged", findings);
        require(spec, spec.newPrivileges(), Allowance.NEW_PRIVILEGES, "no-new-privileges=false", findings);
        require(
                spec,
                spec.seccomp().isOpen(),
                Allowance.UNCONFINED_SECCOMP,
                spec.seccomp().plain() instanceof SeccompChoice.Unconfined
                        ? "seccomp=unconfined"
                        : "a profile whose denials pass",
                findings);
        checkFilter(spec, findings);
        require(
                spec,
                spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.IPC),
                Allowance.HOST_IPC,
                "the host's IPC namespace",
                findings);
        require(
                spec,
                spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.UTS),
                Allowance.HOST_UTS,
                "the host's UTS namespace",
                findings);
        for (DeviceRule rule : spec.limits().devices().orElse(List.of())) {
            require(spec, !rule.isStandard(), Allowance.HOST_DEVICES, "the device rule '" + rule + "'", findings);
        }
        for (Capability capability : Capability.values()) {
            if (spec.addedCapabilities().contains(capability)) {
                require(
                        spec,
                        capability.isDangerous(),
                        Allowance.DANGEROUS_CAPABILITIES,
                        "the capability " + capability,
                        findings);
                if (spec.droppedCapabilities().contains(capability)
                        && spec.droppedCapabilities().size() < Capability.values().length) {
                    findings.add(
                            new Finding("OPTIONS_CONTRADICT", capability + " is both added and dropped: give one"));
                }
            }
        }
        if (spec.privileged() && !spec.droppedCapabilities().isEmpty()) {
            findings.add(
                    new Finding(
                            "OPTIONS_CONTRADICT",
                            "privileged keeps every capability, so none can be dropped: leave privileged out and add what is needed"));
        }
    }

    /// A filter that was asked for and would not be there is no filter.
    private static void checkFilter(ContainerSpec spec, List<Finding> findings) {
        SeccompChoice plain = spec.seccomp().plain();
        if (spec.privileged() && (plain instanceof SeccompChoice.Strict || plain instanceof SeccompChoice.Custom)) {
            findings.add(
                    new Finding(
                            "OPTIONS_CONTRADICT",
                            "privileged has no filter, so no profile can be given: leave privileged out and add what is needed"));
        }
        boolean isOff = spec.privileged() || plain instanceof SeccompChoice.Unconfined;
        if (isOff
                && spec.seccomp() instanceof SeccompChoice.Watched watched
                && watched.watch().letsDeniedPass()) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "without a filter there is nothing that it would deny: give the profile that is on trial"));
        }
    }

    private static void require(
            ContainerSpec spec, boolean asked, Allowance allowance, String what, List<Finding> findings) {
        boolean covered = spec.allowances().contains(allowance)
                || (spec.privileged() && spec.allowances().contains(Allowance.PRIVILEGED));
        if (asked && !covered) {
            findings.add(new Finding(
                    "ALLOWANCE_NEEDED",
                    what + " opens: " + allowance.opens() + "; if that is meant, add --allow " + allowance.option()));
        }
    }

    private static void checkSysctls(ContainerSpec spec, List<Finding> findings) {
        if (spec.sysctls().size() > MAX_SYSCTLS) {
            findings.add(new Finding("SYSCTLS_TOO_MANY", "a container takes at most " + MAX_SYSCTLS + " sysctls"));
        }
        for (Map.Entry<String, String> sysctl : spec.sysctls().entrySet()) {
            Sysctls.refusal(sysctl.getKey(), sysctl.getValue())
                    .ifPresent(reason -> findings.add(new Finding("SYSCTL_REFUSED", reason)));
            if (Sysctls.isOfIpc(sysctl.getKey())
                    && spec.sharedNamespaces().contains(ContainerSpec.SharedNamespace.IPC)) {
                findings.add(new Finding(
                        "OPTIONS_CONTRADICT",
                        sysctl.getKey() + " would change the host where its IPC namespace is shared"));
            }
        }
    }

    private static void checkProcessLimits(ContainerSpec spec, HostFacts host, List<Finding> findings) {
        var seen = new HashSet<Rlimit.Resource>();
        for (Rlimit limit : spec.rlimits()) {
            if (!seen.add(limit.resource())) {
                findings.add(new Finding("OPTIONS_CONTRADICT", "the limit " + limit.resource() + " is given twice"));
            }
            long hard = host.hardLimits().getOrDefault(limit.resource(), 0L);
            if (hard != Rlimit.UNLIMITED && (limit.hard() == Rlimit.UNLIMITED || limit.hard() > hard)) {
                findings.add(new Finding(
                        "RLIMIT_TOO_HIGH",
                        "the hard limit " + limit + " is above the engine's own, " + hard
                                + ": ask for less, or start the engine with more"));
            }
        }
        int score = oomScore(spec, host);
        if (score < -1000 || score > 1000) {
            findings.add(new Finding("OOM_SCORE_INVALID", "an OOM score adjustment is a number from -1000 to 1000"));
        } else if (score < host.oomScoreAdjustment()) {
            findings.add(new Finding(
                    "OOM_SCORE_TOO_LOW",
                    "an OOM score adjustment of " + score + " is below the engine's own, " + host.oomScoreAdjustment()
                            + ", which a container's user namespace cannot lower: ask for more"));
        }
    }

    /// The usual one is the engine's own where that is higher, as in a pod that may be killed first: nobody asked for
    /// less.
    static int oomScore(ContainerSpec spec, HostFacts host) {
        int wanted = spec.oomScoreAdjustment();
        return wanted == USUAL_OOM_SCORE ? Math.max(wanted, host.oomScoreAdjustment()) : wanted;
    }

    private static void checkDeadlines(ContainerSpec spec, List<Finding> findings) {
        if (spec.wallClock().filter(limit -> !limit.isPositive()).isPresent()
                || spec.cpuTime().filter(limit -> !limit.isPositive()).isPresent()) {
            findings.add(new Finding("DEADLINE_INVALID", "a deadline is longer than nothing, as 500ms or 10s"));
        }
        if (spec.sharedMemory().count() < 4096 || spec.sharedMemory().isUnlimited()) {
            findings.add(new Finding("SHM_SIZE", "/dev/shm has a size of at least 4096 bytes, as 64m"));
        }
        if (spec.outputLimit().count() < 1) {
            findings.add(new Finding("OUTPUT_LIMIT", "an output limit is at least one byte"));
        }
    }
}
