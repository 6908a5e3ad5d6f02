package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.image.Image;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Describes a container: one normal form that every face translates to. Immutable: methods that take a value give a
/// changed copy. All protections are on at first. Example: `ContainerSpec.of(Image.host(), "python3", file).pids(32)`.
public final class ContainerSpec implements Cloneable {
    private Image image;
    private List<String> command;
    private @Nullable List<String> entrypoint;
    private Map<String, String> environment = Map.of();
    private @Nullable String workingDirectory;
    private @Nullable String user;
    private List<String> addedGroups = List.of();
    private @Nullable String hostName;
    private @Nullable String name;
    private Limits limits = Limits.defaults();
    private Placement placement = new Placement.Standard();
    private WritableLayer writableLayer = WritableLayer.STANDARD;
    private Network network = Network.none();
    private List<Mount> mounts = List.of();
    private List<HostDevice> devices = List.of();
    private boolean readOnlyRoot;
    private boolean privileged;
    private Set<Capability> addedCapabilities = Set.of();
    private Set<Capability> droppedCapabilities = Set.of();
    private boolean newPrivileges;
    private SeccompChoice seccomp = new SeccompChoice.Standard();
    private Map<String, String> sysctls = Map.of();
    private List<Rlimit> rlimits = List.of();
    private @Nullable TerminalSize terminal;
    private boolean interactive;
    private boolean init = true;
    private int oomScoreAdjustment = 500;
    private @Nullable Duration wallClock;
    private @Nullable Duration cpuTime;
    private Bytes outputLimit = Bytes.mebibytes(16);
    private Bytes sharedMemory = Bytes.mebibytes(64);
    private Set<Allowance> allowances = Set.of();
    private Set<SharedNamespace> sharedNamespaces = Set.of();
    private Map<String, String> labels = Map.of();
    private int stopSignal;
    private Duration stopTimeout = Duration.ofSeconds(10);

    /// A namespace of the host that a container may be left in; each needs its [Allowance].
    public enum SharedNamespace {
        IPC,
        UTS
    }

    private ContainerSpec(Image image, List<String> command) {
        this.image = present(image, "image");
        this.command = More.copy(command, "command");
    }

    /// Returns a spec with a program and its arguments, or without them for the image's own.
    public static ContainerSpec of(Image image, String... command) {
        return new ContainerSpec(image, Arrays.asList(present(command, "command")));
    }

    /// Like [#of], with the host's own `/usr` as the image.
    public static ContainerSpec onHost(String... command) {
        return of(Image.host(), command);
    }

    public static ContainerSpec of(Image image, List<String> command) {
        return new ContainerSpec(image, command);
    }

    private ContainerSpec with(Consumer<ContainerSpec> change) {
        try {
            var copy = (ContainerSpec) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    public Image image() {
        return image;
    }

    public ContainerSpec image(Image value) {
        return with(copy -> copy.image = present(value, "image"));
    }

    public List<String> command() {
        return command;
    }

    /// Replaces the program and its arguments.
    public ContainerSpec command(String... value) {
        return with(copy -> copy.command = More.copy(Arrays.asList(present(value, "command")), "command"));
    }

    /// Replaces the image's entry point; an empty list switches it off.
    public ContainerSpec entrypoint(List<String> value) {
        return with(copy -> copy.entrypoint = More.copy(value, "entrypoint"));
    }

    public Optional<List<String>> entrypoint() {
        return Optional.ofNullable(entrypoint);
    }

    /// Sets one variable of the program's environment.
    public ContainerSpec environment(String variable, String value) {
        return with(copy -> copy.environment = More.plus(environment, variable, value));
    }

    /// Variables in the order in which they were set; over those of the image.
    public Map<String, String> environment() {
        return environment;
    }

    public ContainerSpec workingDirectory(String value) {
        return with(copy -> copy.workingDirectory = present(value, "workingDirectory"));
    }

    public Optional<String> workingDirectory() {
        return Optional.ofNullable(workingDirectory);
    }

    /// `user[:group]`, by name or number, as Docker's `--user`.
    public ContainerSpec user(String value) {
        return with(copy -> copy.user = present(value, "user"));
    }

    public Optional<String> user() {
        return Optional.ofNullable(user);
    }

    /// Adds a group of the image, by name or number, to those of its user, as Docker's `--group-add`.
    public ContainerSpec addGroup(String value) {
        return with(copy -> copy.addedGroups = More.plus(addedGroups, value));
    }

    public List<String> addedGroups() {
        return addedGroups;
    }

    public ContainerSpec hostName(String value) {
        return with(copy -> copy.hostName = present(value, "hostName"));
    }

    public Optional<String> hostName() {
        return Optional.ofNullable(hostName);
    }

    public ContainerSpec name(String value) {
        return with(copy -> copy.name = present(value, "name"));
    }

    public Optional<String> name() {
        return Optional.ofNullable(name);
    }

    public ContainerSpec limits(Limits value) {
        return with(copy -> copy.limits = present(value, "limits"));
    }

    public Limits limits() {
        return limits;
    }

    public ContainerSpec placement(Placement value) {
        return with(copy -> copy.placement = present(value, "placement"));
    }

    public Placement placement() {
        return placement;
    }

    public ContainerSpec writableLayer(WritableLayer value) {
        return with(copy -> copy.writableLayer = present(value, "writableLayer"));
    }

    public WritableLayer writableLayer() {
        return writableLayer;
    }

    public ContainerSpec memory(Bytes value) {
        return limits(limits.memory(present(value, "memory")));
    }

    /// Limits memory, in the form of Docker's `--memory`: `256m`, `1.5g`.
    public ContainerSpec memory(String size) {
        return memory(Bytes.parse(size));
    }

    public ContainerSpec pids(long value) {
        return limits(limits.pids(value));
    }

    /// How many processors' worth of time it may use, as 0.5.
    public ContainerSpec cpus(String value) {
        return limits(limits.cpus(present(value, "cpus")));
    }

    public ContainerSpec network(Network value) {
        return with(copy -> copy.network = present(value, "network"));
    }

    public Network network() {
        return network;
    }

    /// Puts a secret into requests of its network, which is set before: the program never has it.
    public ContainerSpec secret(Gate value) {
        return network(present(value, "value").in(network));
    }

    public ContainerSpec mount(Mount value) {
        return with(copy -> copy.mounts = More.plus(mounts, value));
    }

    public ContainerSpec mounts(List<Mount> value) {
        return with(copy -> copy.mounts = More.copy(value, "mounts"));
    }

    public List<Mount> mounts() {
        return mounts;
    }

    /// Gives it a device of the host; needs [Allowance#HOST_DEVICES].
    public ContainerSpec device(HostDevice value) {
        return with(copy -> copy.devices = More.plus(devices, value));
    }

    /// Replaces all devices.
    public ContainerSpec devices(List<HostDevice> value) {
        return with(copy -> copy.devices = More.copy(value, "devices"));
    }

    public List<HostDevice> devices() {
        return devices;
    }

    public ContainerSpec readOnlyRoot(boolean value) {
        return with(copy -> copy.readOnlyRoot = value);
    }

    public boolean readOnlyRoot() {
        return readOnlyRoot;
    }

    /// Every protection inside the container's own user namespace off; needs [Allowance#PRIVILEGED].
    public ContainerSpec privileged(boolean value) {
        return with(copy -> copy.privileged = value);
    }

    public boolean privileged() {
        return privileged;
    }

    public ContainerSpec addCapabilities(Set<Capability> value) {
        return with(copy -> copy.addedCapabilities = More.copy(value, "addedCapabilities"));
    }

    public ContainerSpec dropCapabilities(Set<Capability> value) {
        return with(copy -> copy.droppedCapabilities = More.copy(value, "droppedCapabilities"));
    }

    public Set<Capability> addedCapabilities() {
        return addedCapabilities;
    }

    public Set<Capability> droppedCapabilities() {
        return droppedCapabilities;
    }

    /// The capabilities that result: all when privileged, else the standard ones, less the dropped, and the added.
    public CapabilitySet capabilities() {
        return privileged ? CapabilitySet.ALL : CapabilitySet.STANDARD.but(droppedCapabilities, addedCapabilities);
    }

    /// Lets set-uid programs and file capabilities work; needs [Allowance#NEW_PRIVILEGES].
    public ContainerSpec newPrivileges(boolean value) {
        return with(copy -> copy.newPrivileges = value);
    }

    public boolean newPrivileges() {
        return newPrivileges;
    }

    public ContainerSpec seccomp(SeccompChoice value) {
        return with(copy -> copy.seccomp = present(value, "seccomp"));
    }

    public SeccompChoice seccomp() {
        return seccomp;
    }

    /// Sets a namespaced kernel setting, as `net.ipv4.ip_forward`.
    public ContainerSpec sysctl(String setting, String value) {
        return with(copy -> copy.sysctls = More.plus(sysctls, setting, value));
    }

    public Map<String, String> sysctls() {
        return sysctls;
    }

    public ContainerSpec rlimit(Rlimit value) {
        return with(copy -> copy.rlimits = More.plus(rlimits, value));
    }

    public List<Rlimit> rlimits() {
        return rlimits;
    }

    /// Gives the program a terminal of this size as its standard streams.
    public ContainerSpec terminal(TerminalSize value) {
        return with(copy -> copy.terminal = present(value, "terminal"));
    }

    public Optional<TerminalSize> terminal() {
        return Optional.ofNullable(terminal);
    }

    /// Leaves standard input open for the caller to write to; else the program reads an end at once.
    public ContainerSpec interactive(boolean value) {
        return with(copy -> copy.interactive = value);
    }

    public boolean interactive() {
        return interactive;
    }

    /// True: a small init stays as process 1, forwards signals and reaps; false: the program is process 1.
    public ContainerSpec init(boolean value) {
        return with(copy -> copy.init = value);
    }

    public boolean init() {
        return init;
    }

    /// How early the kernel picks it when memory runs out, −1000 … 1000; if not said 500, or the engine's own.
    public ContainerSpec oomScoreAdjustment(int value) {
        return with(copy -> copy.oomScoreAdjustment = value);
    }

    public int oomScoreAdjustment() {
        return oomScoreAdjustment;
    }

    /// Ends it this long after its start.
    public ContainerSpec wallClock(Duration value) {
        return with(copy -> copy.wallClock = present(value, "wallClock"));
    }

    public Optional<Duration> wallClock() {
        return Optional.ofNullable(wallClock);
    }

    /// Ends it when all its processes together have used this much processor time.
    public ContainerSpec cpuTime(Duration value) {
        return with(copy -> copy.cpuTime = present(value, "cpuTime"));
    }

    public Optional<Duration> cpuTime() {
        return Optional.ofNullable(cpuTime);
    }

    /// Ends it when it has written more than this to standard output and error together, where they are captured.
    public ContainerSpec outputLimit(Bytes value) {
        return with(copy -> copy.outputLimit = present(value, "outputLimit"));
    }

    public Bytes outputLimit() {
        return outputLimit;
    }

    /// Size of /dev/shm.
    public ContainerSpec sharedMemory(Bytes value) {
        return with(copy -> copy.sharedMemory = present(value, "sharedMemory"));
    }

    public Bytes sharedMemory() {
        return sharedMemory;
    }

    public ContainerSpec allow(Allowance value) {
        return with(copy -> copy.allowances = More.plus(allowances, value));
    }

    public Set<Allowance> allowances() {
        return allowances;
    }

    public ContainerSpec share(SharedNamespace value) {
        return with(copy -> copy.sharedNamespaces = More.plus(sharedNamespaces, value));
    }

    public Set<SharedNamespace> sharedNamespaces() {
        return sharedNamespaces;
    }

    public ContainerSpec label(String key, String value) {
        return with(copy -> copy.labels = More.plus(labels, key, value));
    }

    public Map<String, String> labels() {
        return labels;
    }

    /// The signal that asks it to end; 0 for the image's, or SIGTERM.
    public ContainerSpec stopSignal(int value) {
        return with(copy -> copy.stopSignal = value);
    }

    public int stopSignal() {
        return stopSignal;
    }

    /// How long a container that is asked to end has before it is killed.
    public ContainerSpec stopTimeout(Duration value) {
        return with(copy -> copy.stopTimeout = present(value, "stopTimeout"));
    }

    public Duration stopTimeout() {
        return stopTimeout;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ContainerSpec spec && SpecFields.of(this).equals(SpecFields.of(spec));
    }

    @Override
    public int hashCode() {
        return SpecFields.of(this).hashCode();
    }

    /// Returns what differs from the defaults; variables by name only, as their values may be secrets.
    @Override
    public String toString() {
        return SpecFields.text(this);
    }
}
