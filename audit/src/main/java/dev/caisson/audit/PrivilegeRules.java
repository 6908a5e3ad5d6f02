package dev.caisson.audit;

import static dev.caisson.audit.YamlChange.append;
import static dev.caisson.audit.YamlChange.drop;
import static dev.caisson.audit.YamlChange.dropItem;
import static dev.caisson.audit.YamlChange.put;

import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Rules on what the kernel lets a container's processes do.
final class PrivilegeRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("runs-as-root", PrivilegeRules::root),
            Rule.of("privileged", PrivilegeRules::privileged),
            Rule.of("capability-added", PrivilegeRules::added),
            Rule.of("capabilities-kept", PrivilegeRules::kept),
            Rule.of("privileges-gained", PrivilegeRules::gained),
            Rule.of("seccomp-off", PrivilegeRules::seccomp),
            Rule.of("lsm-off", PrivilegeRules::lsm),
            Rule.of("masked-paths-open", PrivilegeRules::maskedPaths),
            Rule.of("root-writable", PrivilegeRules::rootWritable),
            Rule.of("device-access", PrivilegeRules::devices),
            Rule.of("sysctl-unsafe", PrivilegeRules::sysctls));

    /// Each of these leads out of a container or around its file permissions by itself.
    private static final Set<String> ESCAPES = Set.of(
            "ALL",
            "SYS_ADMIN",
            "SYS_MODULE",
            "SYS_PTRACE",
            "SYS_RAWIO",
            "SYS_BOOT",
            "SYS_TIME",
            "DAC_READ_SEARCH",
            "BPF",
            "PERFMON",
            "MAC_ADMIN",
            "MAC_OVERRIDE",
            "SYSLOG",
            "NET_ADMIN",
            "CHECKPOINT_RESTORE",
            "LINUX_IMMUTABLE");
    /// Docker's default capabilities; asking for one of them again adds nothing, NET_RAW and MKNOD apart.
    private static final Set<String> DEFAULTS = Set.of(
            "AUDIT_WRITE",
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "FSETID",
            "KILL",
            "NET_BIND_SERVICE",
            "SETFCAP",
            "SETGID",
            "SETPCAP",
            "SETUID",
            "SYS_CHROOT");
    /// The settings that Kubernetes calls safe, and those that Docker keeps in the container's network namespace.
    private static final Set<String> SAFE_SYSCTLS = Set.of(
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
            "net.ipv4.tcp_rmem",
            "net.ipv4.tcp_wmem",
            "net.core.somaxconn");
    /// Directories beside /tmp that well-known images write to.
    private static final Map<String, List<String>> WRITTEN = Map.of(
            "nginx", List.of("/var/cache/nginx", "/var/run"),
            "postgres", List.of("/var/run/postgresql"),
            "mysql", List.of("/var/run/mysqld"),
            "mariadb", List.of("/run/mysqld"),
            "httpd", List.of("/usr/local/apache2/logs"),
            "rabbitmq", List.of("/var/log/rabbitmq"),
            "redis", List.of());
    private static final Set<String> HARMLESS_DEVICES =
            Set.of("/dev/fuse", "/dev/net/tun", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty");

    /// Rules for devices that every container has, mem(4), tty(4) and pts(4), and rules that only let nodes be made.
    private static final Pattern HARMLESS_RULE =
            Pattern.compile("rule (?:c (?:1:[35789]|5:[012]|136:(?:\\d+|\\*)) [rwm]+|[abc] \\S+ m)");

    private PrivilegeRules() {}

    private static List<Verdict> root(Workload workload) {
        Fix fix = Fixes.of(
                workload,
                false,
                List.of(put("\"65532:65532\"", "user")),
                List.of(put("true", "securityContext", "runAsNonRoot"), put("65532", "securityContext", "runAsUser")));
        boolean compose = workload.origin() instanceof WorkloadOrigin.Compose;
        return switch (workload.runAs()) {
            case RunAs.Other other -> Verdict.none();
            case RunAs.Root root
            when workload.built().isPresent()
                    && root.place().source() != workload.place().source() ->
                List.of(Verdict.fail(
                                workload.place(),
                                workload.name() + " runs as root: its Dockerfile says " + root.place() + ", "
                                        + root.reason())
                        .with(fix));
            case RunAs.Root root ->
                List.of(Verdict.fail(root.place(), workload.name() + " runs as root: " + root.reason())
                        .with(fix));
            case RunAs.Unknown unknown ->
                List.of(Verdict.fail(unknown.place(), workload.name() + " may run as root: " + unknown.reason())
                        .as(compose ? Severity.MEDIUM : Severity.HIGH)
                        .with(fix));
        };
    }

    private static List<Verdict> privileged(Workload workload) {
        Fix fix = Fixes.of(
                workload, false, List.of(drop("privileged")), List.of(put("false", "securityContext", "privileged")));
        return Stream.concat(
                        workload.privileges().privileged().stream()
                                .filter(Setting::value)
                                .map(setting -> Verdict.fail(setting.place(), workload.name() + " is privileged")
                                        .with(fix)),
                        hooks(workload)
                                .flatMap(hook -> hook.entry("privileged").stream())
                                .filter(entry -> Composes.text(entry).equalsIgnoreCase("true"))
                                .map(entry ->
                                        Verdict.fail(entry.place(), "a hook of " + workload.name() + " is privileged")))
                .toList();
    }

    /// Commands that compose runs in the container when it has started and before it stops.
    private static Stream<YamlMap> hooks(Workload workload) {
        return Composes.body(workload).stream()
                .flatMap(body -> Stream.concat(body.maps("post_start"), body.maps("pre_stop")));
    }

    private static List<Verdict> added(Workload workload) {
        List<Verdict> verdicts = new ArrayList<>();
        for (Setting<String> capability : workload.privileges().added()) {
            String name = capability.value();
            String item = capability.place().text();
            Fix fix = Fixes.of(
                    workload,
                    false,
                    List.of(dropItem(item, "cap_add")),
                    List.of(dropItem(item, "securityContext", "capabilities", "add")));
            if (ESCAPES.contains(name)) {
                Severity severity = name.equals("ALL") || name.equals("SYS_ADMIN") || name.equals("SYS_MODULE")
                        ? Severity.CRITICAL
                        : Severity.HIGH;
                verdicts.add(Verdict.fail(capability.place(), workload.name() + " gets the capability " + name)
                        .as(severity)
                        .with(fix));
            } else if (!DEFAULTS.contains(name)) {
                verdicts.add(Verdict.fail(capability.place(), workload.name() + " gets the capability " + name)
                        .as(Severity.MEDIUM)
                        .with(fix));
            }
        }
        return verdicts;
    }

    private static List<Verdict> kept(Workload workload) {
        boolean all = workload.privileges().dropped().stream()
                .anyMatch(name -> name.value().equals("ALL"));
        if (all) {
            return Verdict.none();
        }
        Fix fix = Fixes.of(
                workload,
                false,
                List.of(append("ALL", "cap_drop")),
                List.of(append("ALL", "securityContext", "capabilities", "drop")));
        return List.of(Verdict.fail(workload.place(), workload.name() + " does not drop ALL capabilities")
                .with(fix));
    }

    private static List<Verdict> gained(Workload workload) {
        Optional<Setting<Boolean>> setting = workload.privileges().noNewPrivileges();
        if (setting.filter(Setting::value).isPresent()) {
            return Verdict.none();
        }
        List<YamlChange> compose = setting.isPresent()
                ? List.of(
                        dropItem(setting.get().place().text(), "security_opt"),
                        append("no-new-privileges:true", "security_opt"))
                : List.of(append("no-new-privileges:true", "security_opt"));
        Fix fix =
                Fixes.of(workload, true, compose, List.of(put("false", "securityContext", "allowPrivilegeEscalation")));
        return List.of(Verdict.fail(
                        setting.map(Setting::place).orElse(workload.place()),
                        "processes of " + workload.name() + " may gain privileges"
                                + (setting.isPresent() ? ": it is allowed in words" : ""))
                .with(fix));
    }

    private static List<Verdict> seccomp(Workload workload) {
        Optional<Setting<String>> profile = workload.privileges().seccomp();
        boolean kubernetes = workload.origin() instanceof WorkloadOrigin.Kubernetes;
        Fix fix = Fixes.of(
                workload,
                false,
                profile.map(set -> List.of(dropItem(set.place().text(), "security_opt")))
                        .orElse(List.of()),
                List.of(put("RuntimeDefault", "securityContext", "seccompProfile", "type")));
        if (profile.isEmpty()) {
            return kubernetes
                    ? List.of(Verdict.fail(
                                    workload.place(),
                                    workload.name() + " names no seccomp profile, and the cluster's default is none")
                            .as(Severity.MEDIUM)
                            .with(fix))
                    : Verdict.none();
        }
        return profile.get().value().equals("unconfined")
                ? List.of(Verdict.fail(
                                profile.get().place(), "the system calls of " + workload.name() + " are not filtered")
                        .with(fix))
                : SeccompFiles.judge(workload, profile.get());
    }

    private static List<Verdict> lsm(Workload workload) {
        return workload.privileges().lsm().stream()
                .filter(setting -> Set.of(
                                "apparmor=unconfined", "label=disable", "label=type:spc_t", "label=type:unconfined_t")
                        .contains(setting.value()))
                .map(setting -> Verdict.fail(setting.place(), workload.name() + " switches off " + setting.value()))
                .toList();
    }

    private static List<Verdict> maskedPaths(Workload workload) {
        return switch (workload.origin()) {
            case WorkloadOrigin.Compose origin ->
                origin.service().body().seq("security_opt").stream()
                        .flatMap(seq -> seq.items().stream())
                        .filter(item -> item instanceof YamlScalar scalar
                                && (scalar.value().equals("systempaths=unconfined")
                                        || scalar.value().startsWith("unmask")))
                        .map(item -> Verdict.fail(item.place(), "masked paths are open to " + workload.name()))
                        .toList();
            case WorkloadOrigin.Kubernetes origin ->
                origin
                        .container()
                        .map("securityContext")
                        .flatMap(context -> context.entry("procMount"))
                        .filter(entry -> Composes.text(entry).equals("Unmasked"))
                        .map(entry -> Verdict.fail(entry.place(), "/proc of " + workload.name() + " is unmasked"))
                        .stream()
                        .toList();
        };
    }

    private static List<Verdict> rootWritable(Workload workload) {
        if (workload.readOnlyRoot().filter(Setting::value).isPresent()) {
            return Verdict.none();
        }
        List<String> written = written(workload);
        String plan = String.join(" and ", written);
        return List.of(Verdict.fail(
                        workload.readOnlyRoot().map(Setting::place).orElse(workload.place()),
                        "the root file system of " + workload.name()
                                + " is writable; read-only, it would need memory file systems on " + plan)
                .with(readOnly(workload, written)));
    }

    private static Fix readOnly(Workload workload, List<String> written) {
        List<YamlChange> compose = new ArrayList<>(List.of(put("true", "read_only")));
        List<YamlChange> container = new ArrayList<>(List.of(put("true", "securityContext", "readOnlyRootFilesystem")));
        List<YamlChange> pod = new ArrayList<>();
        for (String path : written) {
            boolean there =
                    workload.mounts().stream().anyMatch(mount -> mount.target().equals(path));
            if (!there) {
                String name = "writable" + path.replaceAll("[^a-z0-9]", "-");
                compose.add(append(path + ":size=64m", "tmpfs"));
                container.add(append("{name: " + name + ", mountPath: " + path + "}", "volumeMounts"));
                pod.add(append("{name: " + name + ", emptyDir: {sizeLimit: 64Mi}}", "volumes"));
            }
        }
        Fix own = Fixes.of(workload, false, compose, container);
        return workload.origin() instanceof WorkloadOrigin.Kubernetes origin
                ? Fixes.both(own, Fixes.pod(origin, false, pod))
                : own;
    }

    private static List<String> written(Workload workload) {
        List<String> paths = new ArrayList<>(List.of("/tmp"));
        workload.image()
                .flatMap(image -> ImageReference.parse(image.value()))
                .ifPresent(image -> paths.addAll(WRITTEN.getOrDefault(image.shortName(), List.of("/run"))));
        return paths;
    }

    private static List<Verdict> devices(Workload workload) {
        return workload.devices().stream()
                .filter(device -> !HARMLESS_DEVICES.contains(device.value().split(":", -1)[0])
                        && !HARMLESS_RULE.matcher(device.value()).matches())
                .map(device -> Verdict.fail(device.place(), workload.name() + " gets the device " + device.value()))
                .toList();
    }

    private static List<Verdict> sysctls(Workload workload) {
        return workload.sysctls().stream()
                .filter(sysctl -> !SAFE_SYSCTLS.contains(sysctl.value().split("=", -1)[0]))
                .map(sysctl -> {
                    boolean ownNetwork = sysctl.value().startsWith("net.");
                    return Verdict.fail(sysctl.place(), workload.name() + " sets " + sysctl.value())
                            .as(ownNetwork ? Severity.LOW : Severity.MEDIUM);
                })
                .toList();
    }
}
