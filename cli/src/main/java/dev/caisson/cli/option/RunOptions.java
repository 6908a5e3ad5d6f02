package dev.caisson.cli.option;

import dev.caisson.cli.caller.Caller;
import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.caller.HostPath;
import dev.caisson.cli.caller.NamedFile;
import dev.caisson.cli.text.OptionText;
import dev.caisson.image.Image;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.SeccompChoice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// Options of a run, with Docker's names; translated to a [ContainerSpec] and nothing
/// else.
public final class RunOptions {
    private static final int MAX_PROFILE = 4 << 20;

    private boolean remove;
    private boolean interactive;
    private boolean terminal;
    private @Nullable String name;
    private List<String> environment = List.of();
    private List<String> environmentFiles = List.of();
    private List<String> volumes = List.of();
    private List<String> volumesFrom = List.of();
    private List<String> mounts = List.of();
    private List<String> tmpfs = List.of();
    private List<String> workspaces = List.of();
    private List<String> secrets = List.of();
    private List<String> devices = List.of();
    private boolean readOnly;
    private @Nullable String workingDirectory;
    private @Nullable String user;
    private List<String> groups = List.of();
    private @Nullable String hostName;
    private @Nullable String entrypoint;
    private List<String> capabilitiesAdded = List.of();
    private List<String> capabilitiesDropped = List.of();
    private List<String> securityOptions = List.of();
    private String seccompMode = "enforce";
    private @Nullable String learnedFile;
    private List<String> sysctls = List.of();
    private @Nullable String stopSignal;
    private @Nullable String stopTimeout;
    private @Nullable String timeout;
    private @Nullable String cpuTime;
    private String ipc = "private";
    private String uts = "private";
    private List<String> labels = List.of();
    private List<String> labelFiles = List.of();
    private boolean init = true;
    private boolean privileged;
    private List<String> allowances = List.of();
    private @Nullable String snapshot;
    private String image = "";
    private List<String> command = List.of();
    private final CommandSpec commandSpec;
    private final LimitOptions limits;
    private final NetworkOptions networks;

    /// Adds the options to a command; what they say stands here once it has been parsed.
    public RunOptions(CommandSpec spec) {
        commandSpec = spec;
        var options = new OptionList(spec);
        options.flag(
                        "--rm",
                        "Keep nothing of the container at its end; else its log and how it ended stay until 'caisson rm'.",
                        value -> remove = value)
                .flag("-i, --interactive", "Pass standard input on.", value -> interactive = value)
                .flag("-t, --tty", "Give the program a terminal.", value -> terminal = value)
                .text("--name", "NAME", "A name for people.", value -> name = unlessEmpty(value))
                .texts(
                        "-e, --env",
                        "NAME[=VALUE]",
                        "Set a variable, or pass on the one of this environment.",
                        value -> environment = value)
                .texts(
                        "--env-file",
                        "FILE",
                        "Set variables from a file of NAME=VALUE lines.",
                        value -> environmentFiles = value)
                .texts(
                        "-v, --volume",
                        "[SOURCE:]TARGET[:ro|rw]",
                        "Mount a volume by name, a new one without a source, or a path of the host.",
                        value -> volumes = value)
                .texts(
                        "--mount",
                        "KEY=VALUE,…",
                        "Mount: type=volume|bind|tmpfs|image, source, target, readonly; volume-subpath, volume-nocopy,"
                                + " volume-opt=size=SIZE, volume-label; image-subpath; tmpfs-size, tmpfs-mode.",
                        value -> mounts = value)
                .texts(
                        "--tmpfs",
                        "TARGET[:OPTIONS]",
                        "Mount memory of a bounded size (size=64m unless said).",
                        value -> tmpfs = value)
                .texts(
                        "--volumes-from",
                        "CONTAINER[:ro|rw]",
                        "Mount what another container mounts: volumes, workspaces and paths of the host.",
                        value -> volumesFrom = value)
                .texts(
                        "--workspace",
                        "NAME:TARGET[:ro|rw]",
                        "Mount a workspace, which 'caisson workspace create' makes.",
                        value -> workspaces = value)
                .texts(
                        "--secret",
                        "NAME[,target=FILE]…",
                        "Give it a secret of the store as /run/secrets/NAME; target=FILE, uid=ID, gid=ID, mode=0400, env=VARIABLE, on-change=signal:SIGNAL, exec:COMMAND or restart. With gate=HOST and as=bearer, basic:USER, header:NAME, query:NAME or placeholder:TEXT it is put into HTTPS requests to the host, with method=GET and path=/v1/* into those alone, and never given to the program.",
                        value -> secrets = value)
                .texts(
                        "--device",
                        "HOSTPATH[:PATH][:rwm]",
                        "Give it a device of the host, below its /dev; needs --allow host-devices.",
                        value -> devices = value)
                .flag("--read-only", "The root file system cannot be written to.", value -> readOnly = value)
                .text(
                        "-w, --workdir",
                        "DIR",
                        "The program's working directory.",
                        value -> workingDirectory = unlessEmpty(value))
                .text("-u, --user", "USER[:GROUP]", "Whom the program runs as.", value -> user = value)
                .texts("--group-add", "GROUP", "Add a group of the image, by name or number.", value -> groups = value)
                .text("-h, --hostname", "NAME", "The container's host name.", value -> hostName = unlessEmpty(value))
                .text(
                        "--entrypoint",
                        "PROGRAM",
                        "Run this in place of the image's entry point.",
                        value -> entrypoint = value);
        options.text(
                "--from-snapshot",
                "NAME",
                "Start with the files of a snapshot, in place of an image: 'caisson snapshot create' takes one.",
                value -> snapshot = value);
        limits = new LimitOptions(options);
        options.words(
                        "--cap-add",
                        "CAPABILITY",
                        "Add a capability, inside its user namespace.",
                        value -> capabilitiesAdded = value)
                .words("--cap-drop", "CAPABILITY", "Drop a capability, or ALL.", value -> capabilitiesDropped = value)
                .texts(
                        "--security-opt",
                        "OPTION",
                        "no-new-privileges[=true|false], seccomp=FILE|default|strict|unconfined.",
                        value -> securityOptions = value)
                .text(
                        "--seccomp-mode",
                        "MODE",
                        "enforce: deny, and tell (default); quiet: deny, and leave the program's listener to itself; complain: tell and let pass; learn: complain, and write a profile that allows it. The last two need --allow unconfined-seccomp.",
                        value -> seccompMode = value)
                .text(
                        "--seccomp-learned",
                        "FILE",
                        "Where --seccomp-mode learn writes the profile (default: learned.json).",
                        value -> learnedFile = value)
                .texts(
                        "--sysctl",
                        "NAME=VALUE",
                        "Set a kernel setting of the container's own.",
                        value -> sysctls = value)
                .text(
                        "--stop-signal",
                        "SIGNAL",
                        "Signal by which 'caisson stop' asks it to end (default: the image's, or TERM).",
                        value -> stopSignal = value)
                .text(
                        "--stop-timeout",
                        "SECONDS",
                        "Time that 'caisson stop' gives it before it is killed (default: 10).",
                        value -> stopTimeout = value)
                .text("--timeout", "DURATION", "End it after this time: 500ms, 10s, 2m.", value -> timeout = value)
                .text("--cpu-time", "DURATION", "End it after this much processor time.", value -> cpuTime = value);
        networks = new NetworkOptions(options);
        options.text("--ipc", "MODE", "private (default) or host.", value -> ipc = value)
                .text("--uts", "MODE", "private (default) or host.", value -> uts = value)
                .texts(
                        "-l, --label",
                        "KEY=VALUE",
                        "A label, shown by ps and logs and found by ps --filter.",
                        value -> labels = value)
                .texts("--label-file", "FILE", "Labels from the lines of a file.", value -> labelFiles = value)
                .flagThatIsOn(
                        "--init",
                        "A small init stays as process 1 (default); --no-init: the program itself is process 1.",
                        value -> init = value)
                .flag(
                        "--privileged",
                        "Every capability, no filter, nothing masked - inside its user namespace.",
                        value -> privileged = value)
                .words(
                        "--allow",
                        "WHAT",
                        "Give a protection up by name: privileged, dangerous-capabilities, new-privileges, unconfined-seccomp, host-paths, host-devices, host-services=PORT[,PORT], host-network, host-ipc, host-uts.",
                        value -> allowances = value)
                .operand(
                        0,
                        "IMAGE",
                        "host, a name as debian:13, dir:PATH, oci:PATH[:REF] or docker-archive:FILE[:REF].",
                        value -> image = value)
                .operands(1, "COMMAND", "The program and its arguments.", value -> command = value);
    }

    /// The wish that these options are.
    public ContainerSpec spec() {
        List<String> words = words();
        Image named = snapshot == null ? Caller.current().image(image) : Image.snapshot(snapshot);
        ContainerSpec spec = ContainerSpec.of(named, words)
                .interactive(interactive)
                .readOnlyRoot(readOnly)
                .privileged(privileged)
                .init(init)
                .network(networks.network(named, Allowances.parse(allowances).services()));
        spec = limits.apply(texts(spec));
        spec = EnvironmentOptions.apply(spec, environmentFiles, environment);
        spec = privileges(spec);
        for (String sysctl : sysctls) {
            String[] pair = OptionText.pair("--sysctl", sysctl);
            spec = spec.sysctl(pair[0], pair[1]);
        }
        spec = EnvironmentOptions.applyLabels(spec, labelFiles, labels);
        spec = MountOptions.workspaces(MountOptions.apply(spec, volumes, mounts, tmpfs), workspaces);
        spec = VolumesFrom.apply(spec, volumesFrom);
        return DeviceOptions.apply(SecretFileOptions.apply(spec, secrets), devices);
    }

    /// Returns the command. With a snapshot it begins where the image would stand.
    private List<String> words() {
        var words = new ArrayList<>(command);
        if (snapshot != null && !image.isEmpty()) {
            words.addFirst(image);
        } else if (snapshot == null && image.isEmpty()) {
            throw CommandException.usage(
                    "Missing required parameter: 'IMAGE'; try '" + commandSpec.qualifiedName() + " --help'");
        }
        return !words.isEmpty() && words.getFirst().equals("--") ? words.subList(1, words.size()) : words;
    }

    private ContainerSpec texts(ContainerSpec start) {
        ContainerSpec spec = start;
        spec = name == null ? spec : spec.name(name);
        spec = user == null ? spec : spec.user(user);
        for (String group : groups) {
            spec = spec.addGroup(group);
        }
        spec = hostName == null ? spec : spec.hostName(hostName);
        spec = workingDirectory == null ? spec : spec.workingDirectory(workingDirectory);
        spec = entrypoint == null ? spec : spec.entrypoint(entrypoint.isEmpty() ? List.of() : List.of(entrypoint));
        spec = timeout == null ? spec : spec.wallClock(OptionText.duration("--timeout", timeout));
        spec = cpuTime == null ? spec : spec.cpuTime(OptionText.duration("--cpu-time", cpuTime));
        spec = stopTimeout == null ? spec : spec.stopTimeout(SignalOptions.patience("--stop-timeout", stopTimeout));
        return stopSignal == null ? spec : spec.stopSignal(SignalOptions.number("--stop-signal", stopSignal));
    }

    public boolean remove() {
        return remove;
    }

    public boolean interactive() {
        return interactive;
    }

    public boolean terminal() {
        return terminal;
    }

    public boolean learns() {
        return seccompMode.equals("learn");
    }

    /// Returns the file for the learned profile.
    public Path learnedFile() {
        return HostPath.of(learnedFile == null ? "learned.json" : learnedFile);
    }

    private ContainerSpec privileges(ContainerSpec start) {
        ContainerSpec spec = start.addCapabilities(capabilities("--cap-add", capabilitiesAdded))
                .dropCapabilities(capabilities("--cap-drop", capabilitiesDropped));
        for (String option : securityOptions) {
            spec = securityOption(spec, option);
        }
        for (Allowance allowance : Allowances.parse(allowances).given()) {
            spec = spec.allow(allowance);
        }
        if (privileged && securityOptions.stream().anyMatch(option -> option.matches("seccomp=(default|standard)"))) {
            throw CommandException.refused(
                    "--security-opt seccomp=default", "--privileged has no filter: leave one of the two out");
        }
        spec = spec.seccomp(watched(spec.seccomp()));
        spec = shared(spec, "--ipc", ipc, ContainerSpec.SharedNamespace.IPC);
        return shared(spec, "--uts", uts, ContainerSpec.SharedNamespace.UTS);
    }

    private SeccompChoice watched(SeccompChoice choice) {
        if (learnedFile != null && !learns()) {
            throw CommandException.refused(
                    "--seccomp-learned", "a profile is learned with --seccomp-mode learn only: give that too");
        }
        return switch (seccompMode) {
            case "enforce" -> new SeccompChoice.Watched(choice, SeccompChoice.Watch.TELL);
            case "quiet" -> choice;
            case "complain" -> new SeccompChoice.Watched(choice, SeccompChoice.Watch.COMPLAIN);
            case "learn" -> new SeccompChoice.Watched(choice, SeccompChoice.Watch.LEARN);
            default ->
                throw CommandException.refused(
                        "--seccomp-mode " + seccompMode, "give enforce, quiet, complain or learn");
        };
    }

    private static ContainerSpec shared(
            ContainerSpec spec, String option, String mode, ContainerSpec.SharedNamespace namespace) {
        return switch (mode) {
            case "private" -> spec;
            case "host" -> spec.share(namespace);
            default -> throw CommandException.refused(option + " " + mode, "give private or host");
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
            case "no-new-privileges" -> spec.newPrivileges(false);
            case String value
            when value.matches("no-new-privileges[=:].*") ->
                spec.newPrivileges(!BooleanText.parse(
                        "--security-opt no-new-privileges", value.substring("no-new-privileges=".length())));
            case "seccomp=standard", "seccomp=default" -> spec.seccomp(new SeccompChoice.Standard());
            case "seccomp=strict" -> spec.seccomp(new SeccompChoice.Strict());
            case "seccomp=unconfined" -> spec.seccomp(new SeccompChoice.Unconfined());
            case String profile
            when profile.startsWith("seccomp=") -> {
                String file = profile.substring("seccomp=".length());
                yield spec.seccomp(new SeccompChoice.Custom(file, text("--security-opt seccomp", file, MAX_PROFILE)));
            }
            default ->
                throw CommandException.refused("--security-opt " + option, "give no-new-privileges or seccomp=…");
        };
    }

    /// Scripts give empty variables; Docker takes these for none.
    private static @Nullable String unlessEmpty(String value) {
        return value.isEmpty() ? null : value;
    }

    private static String text(String option, String file, int most) {
        try {
            return new String(NamedFile.read(file, most), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw CommandException.refused(option + " " + file, "the file cannot be read (" + e.getMessage() + ")");
        }
    }
}
