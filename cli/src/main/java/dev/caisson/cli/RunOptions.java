package dev.caisson.cli;

import dev.caisson.cgroup.Bytes;
import dev.caisson.image.Image;
import dev.caisson.launch.Allowance;
import dev.caisson.launch.Capability;
import dev.caisson.launch.ContainerSpec;
import dev.caisson.launch.Network;
import dev.caisson.launch.SeccompChoice;
import dev.caisson.linux.Processes;
import dev.caisson.seccomp.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What can be said about a run on the command line, in Docker's words; translated to a [ContainerSpec]
/// and nothing
/// else.
final class RunOptions {
    private static final long MAX_PROFILE = 4L << 20;
    private static final long MAX_ENVIRONMENT_FILE = 1L << 20;

    @Option(
            names = "--rm",
            description = "Remove the container at its end. It always is; keeping one is not part of this version.")
    boolean remove;

    @Option(
            names = {"-i", "--interactive"},
            description = "Pass standard input on.")
    boolean interactive;

    @Option(
            names = {"-t", "--tty"},
            description = "Give the program a terminal.")
    boolean terminal;

    @Option(names = "--name", paramLabel = "NAME", description = "A name for people.")
    private @Nullable String name;

    @Option(
            names = {"-e", "--env"},
            paramLabel = "NAME[=VALUE]",
            description = "Set a variable, or pass on the one of this environment.")
    private List<String> environment = new ArrayList<>();

    @Option(names = "--env-file", paramLabel = "FILE", description = "Set variables from a file of NAME=VALUE lines.")
    private List<Path> environmentFiles = new ArrayList<>();

    @Option(
            names = {"-v", "--volume"},
            paramLabel = "HOST:TARGET[:ro|rw]",
            description = "Mount a path of the host.")
    private List<String> volumes = new ArrayList<>();

    @Option(
            names = "--mount",
            paramLabel = "KEY=VALUE,…",
            description = "Mount: type=bind|tmpfs, source, target, readonly, tmpfs-size, tmpfs-mode.")
    private List<String> mounts = new ArrayList<>();

    @Option(
            names = "--tmpfs",
            paramLabel = "TARGET[:OPTIONS]",
            description = "Mount memory of a bounded size (size=64m unless said).")
    private List<String> tmpfs = new ArrayList<>();

    @Option(names = "--read-only", description = "The root file system cannot be written to.")
    private boolean readOnly;

    @Option(
            names = {"-w", "--workdir"},
            paramLabel = "DIR",
            description = "The program's working directory.")
    private @Nullable String workingDirectory;

    @Option(
            names = {"-u", "--user"},
            paramLabel = "USER[:GROUP]",
            description = "Whom the program runs as.")
    private @Nullable String user;

    @Option(names = "--hostname", paramLabel = "NAME", description = "The container's host name.")
    private @Nullable String hostName;

    @Option(
            names = "--entrypoint",
            paramLabel = "PROGRAM",
            description = "Run this in place of the image's entry point.")
    private @Nullable String entrypoint;

    @Mixin
    private LimitOptions limits = new LimitOptions();

    @Option(
            names = "--cap-add",
            paramLabel = "CAPABILITY",
            split = ",",
            description = "Add a capability, inside its user namespace.")
    private List<String> capabilitiesAdded = new ArrayList<>();

    @Option(names = "--cap-drop", paramLabel = "CAPABILITY", split = ",", description = "Drop a capability, or ALL.")
    private List<String> capabilitiesDropped = new ArrayList<>();

    @Option(
            names = "--security-opt",
            paramLabel = "OPTION",
            description = "no-new-privileges[=true|false], seccomp=FILE|default|strict|unconfined.")
    private List<String> securityOptions = new ArrayList<>();

    @Option(
            names = "--seccomp-mode",
            paramLabel = "MODE",
            defaultValue = "enforce",
            description =
                    "enforce: deny, and tell (default); quiet: deny, and leave the program's listener to itself; complain: tell and let pass, which needs --allow unconfined-seccomp.")
    private String seccompMode = "enforce";

    @Option(names = "--sysctl", paramLabel = "NAME=VALUE", description = "Set a kernel setting of the container's own.")
    private List<String> sysctls = new ArrayList<>();

    @Option(
            names = "--stop-signal",
            paramLabel = "SIGNAL",
            description = "The signal that asks it to end (default: TERM).")
    private @Nullable String stopSignal;

    @Option(names = "--timeout", paramLabel = "DURATION", description = "End it after this time: 500ms, 10s, 2m.")
    private @Nullable String timeout;

    @Option(names = "--cpu-time", paramLabel = "DURATION", description = "End it after this much processor time.")
    private @Nullable String cpuTime;

    @Option(
            names = {"--network", "--net"},
            paramLabel = "NETWORK",
            description = "none: a network stack of its own with loopback alone (default, and all of this version).")
    private String network = "none";

    @Option(names = "--ipc", paramLabel = "MODE", description = "private (default) or host.")
    private String ipc = "private";

    @Option(names = "--uts", paramLabel = "MODE", description = "private (default) or host.")
    private String uts = "private";

    @Option(
            names = {"-l", "--label"},
            paramLabel = "KEY=VALUE",
            description = "A label for people and programs.")
    private List<String> labels = new ArrayList<>();

    @Option(
            names = "--init",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "A small init stays as process 1 (default); --no-init: the program itself is process 1.")
    private boolean init = true;

    @Option(
            names = "--privileged",
            description = "Every capability, no filter, nothing masked - inside its user namespace.")
    private boolean privileged;

    @Option(
            names = "--allow",
            paramLabel = "WHAT",
            split = ",",
            description =
                    "Give a protection up by name: privileged, dangerous-capabilities, new-privileges, unconfined-seccomp, host-paths, host-ipc, host-uts.")
    private List<String> allowances = new ArrayList<>();

    @Parameters(
            index = "0",
            paramLabel = "IMAGE",
            description = "host, dir:PATH, oci:PATH[:REF] or docker-archive:FILE[:REF].")
    private String image = "";

    @Parameters(index = "1..*", paramLabel = "COMMAND", description = "The program and its arguments.")
    private List<String> command = new ArrayList<>();

    /// The wish that these options are.
    ContainerSpec spec() {
        List<String> words =
                command.isEmpty() || !command.getFirst().equals("--") ? command : command.subList(1, command.size());
        ContainerSpec spec = ContainerSpec.of(Image.parse(image), words)
                .interactive(interactive)
                .readOnlyRoot(readOnly)
                .privileged(privileged)
                .init(init)
                .network(network());
        spec = limits.apply(texts(spec));
        spec = environment(spec);
        spec = privileges(spec);
        for (String sysctl : sysctls) {
            String[] pair = pair("--sysctl", sysctl);
            spec = spec.sysctl(pair[0], pair[1]);
        }
        for (String label : labels) {
            int equals = label.indexOf('=');
            spec = spec.label(
                    equals < 0 ? label : label.substring(0, equals), equals < 0 ? "" : label.substring(equals + 1));
        }
        return MountOptions.apply(spec, volumes, mounts, tmpfs);
    }

    /// Most that is copied of its output.
    Bytes outputLimit() {
        return limits.outputLimit();
    }

    private ContainerSpec texts(ContainerSpec start) {
        ContainerSpec spec = start;
        spec = name == null ? spec : spec.name(name);
        spec = user == null ? spec : spec.user(user);
        spec = hostName == null ? spec : spec.hostName(hostName);
        spec = workingDirectory == null ? spec : spec.workingDirectory(workingDirectory);
        spec = entrypoint == null ? spec : spec.entrypoint(entrypoint.isEmpty() ? List.of() : List.of(entrypoint));
        spec = timeout == null ? spec : spec.wallClock(duration("--timeout", timeout));
        spec = cpuTime == null ? spec : spec.cpuTime(duration("--cpu-time", cpuTime));
        return stopSignal == null ? spec : spec.stopSignal(signal(stopSignal));
    }

    boolean complains() {
        return seccompMode.equals("complain");
    }

    private Network network() {
        if (!network.equals("none")) {
            throw refused(
                    "--network " + network,
                    "every container has its own stack with loopback alone: use --network none");
        }
        return Network.none();
    }

    private ContainerSpec environment(ContainerSpec start) {
        ContainerSpec spec = start;
        for (Path file : environmentFiles) {
            for (String line :
                    text("--env-file", file, MAX_ENVIRONMENT_FILE).lines().toList()) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    spec = variable(spec, line);
                }
            }
        }
        for (String variable : environment) {
            spec = variable(spec, variable);
        }
        return spec;
    }

    private static ContainerSpec variable(ContainerSpec spec, String text) {
        int equals = text.indexOf('=');
        if (equals >= 0) {
            return spec.environment(text.substring(0, equals), text.substring(equals + 1));
        }
        String value = System.getenv(text);
        return value == null ? spec : spec.environment(text, value);
    }

    private ContainerSpec privileges(ContainerSpec start) {
        ContainerSpec spec = start.addCapabilities(capabilities("--cap-add", capabilitiesAdded))
                .dropCapabilities(capabilities("--cap-drop", capabilitiesDropped));
        for (String option : securityOptions) {
            spec = securityOption(spec, option);
        }
        for (String allowance : allowances) {
            spec = spec.allow(Allowance.parse(allowance)
                    .orElseThrow(() ->
                            CommandException.usage("--allow knows no '" + allowance + "'; see 'caisson run --help'")));
        }
        spec = spec.seccomp(watched(spec.seccomp()));
        spec = shared(spec, "--ipc", ipc, ContainerSpec.SharedNamespace.IPC);
        return shared(spec, "--uts", uts, ContainerSpec.SharedNamespace.UTS);
    }

    private SeccompChoice watched(SeccompChoice choice) {
        return switch (seccompMode) {
            case "enforce" -> new SeccompChoice.Watched(choice, false);
            case "quiet" -> choice;
            case "complain" -> new SeccompChoice.Watched(choice, true);
            case "learn" ->
                throw refused("--seccomp-mode learn", "use 'caisson seccomp record -o profile.json -- run …'");
            default -> throw refused("--seccomp-mode " + seccompMode, "give enforce, quiet or complain");
        };
    }

    private static ContainerSpec shared(
            ContainerSpec spec, String option, String mode, ContainerSpec.SharedNamespace namespace) {
        return switch (mode) {
            case "private" -> spec;
            case "host" -> spec.share(namespace);
            default -> throw refused(option + " " + mode, "give private or host");
        };
    }

    private static Set<Capability> capabilities(String option, List<String> names) {
        Set<Capability> set = EnumSet.noneOf(Capability.class);
        for (String text : names) {
            if (text.toUpperCase(Locale.ROOT).equals("ALL")) {
                set.addAll(EnumSet.allOf(Capability.class));
            } else {
                set.add(Capability.parse(text)
                        .orElseThrow(() -> CommandException.usage(
                                option + " knows no capability '" + text + "'; see capabilities(7)")));
            }
        }
        return set;
    }

    private static ContainerSpec securityOption(ContainerSpec spec, String option) {
        return switch (option) {
            case "no-new-privileges", "no-new-privileges=true", "no-new-privileges:true" -> spec.newPrivileges(false);
            case "no-new-privileges=false", "no-new-privileges:false" -> spec.newPrivileges(true);
            case "seccomp=standard", "seccomp=default" -> spec.seccomp(new SeccompChoice.Standard());
            case "seccomp=strict" -> spec.seccomp(new SeccompChoice.Strict());
            case "seccomp=unconfined" -> spec.seccomp(new SeccompChoice.Unconfined());
            case String profile
            when profile.startsWith("seccomp=") -> {
                Path file = Path.of(profile.substring("seccomp=".length()));
                yield spec.seccomp(new SeccompChoice.Custom(
                        file.toString(), Profile.parse(text("--security-opt seccomp", file, MAX_PROFILE))));
            }
            default -> throw refused("--security-opt " + option, "give no-new-privileges or seccomp=…");
        };
    }

    private static final Map<String, Long> UNITS = Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L);

    /// A number with ms, s, m or h; seconds without a unit.
    static Duration duration(String option, String text) {
        String number = text.replaceAll("[a-z]+$", "");
        String unit = text.substring(number.length());
        Long millis = unit.isEmpty() ? Long.valueOf(1000) : UNITS.get(unit);
        if (millis == null || !number.matches("[0-9]{1,9}(\\.[0-9]{1,3})?")) {
            throw CommandException.usage(option + " takes a duration like 500ms, 10s, 2m or 1h, not '" + text + "'");
        }
        return Duration.ofMillis(Math.round(Double.parseDouble(number) * millis));
    }

    /// A signal by name, with or without SIG, or by number.
    static int signal(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        Integer number = Processes.SIGNALS.get(name.startsWith("SIG") ? name.substring(3) : name);
        if (number != null) {
            return number;
        }
        if (text.matches("[1-9]|[1-5][0-9]|6[0-4]")) {
            return Integer.parseInt(text);
        }
        throw CommandException.usage("--stop-signal knows no signal '" + text + "'");
    }

    static String[] pair(String option, String text) {
        int equals = text.indexOf('=');
        if (equals <= 0) {
            throw CommandException.usage(option + " takes NAME=VALUE, not '" + text + "'");
        }
        return new String[] {text.substring(0, equals), text.substring(equals + 1)};
    }

    private static String text(String option, Path file, long most) {
        try {
            if (Files.size(file) > most) {
                throw refused(option + " " + file, "the file is larger than " + most + " bytes");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw refused(option + " " + file, "the file cannot be read (" + e.getMessage() + ")");
        }
    }

    static CommandException refused(String what, String advice) {
        return new CommandException("OPTION_REFUSED", CommandException.ENGINE_FAILED, what + ": " + advice);
    }
}
