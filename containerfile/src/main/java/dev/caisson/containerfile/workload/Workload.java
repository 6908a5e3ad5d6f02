package dev.caisson.containerfile.workload;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.Place;
import dev.caisson.containerfile.RunAs;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.build.EffectiveImage;
import java.util.List;
import java.util.Optional;

/// One container as its file will start it, in one form for compose services and containers of Kubernetes pods.
/// Absent means that the file says nothing and the runtime's default holds.
/// @param name as `service web`, or `Deployment/shop container nginx`
/// @param place the key or name that defines it
/// @param extent the lines that define it, where they are one stretch
/// @param image the image's name
/// @param built what the service's own Dockerfile makes, where it was found
/// @param arguments the words of its command line
/// @param asides the words of each command that is run beside it: health checks, probes and hooks
/// @param restart the restart policy
/// @param logging how much its log may take
public record Workload(
        WorkloadOrigin origin,
        String name,
        Place place,
        Place extent,
        Optional<Setting<String>> image,
        Optional<EffectiveImage> built,
        RunAs runAs,
        Limits limits,
        Privileges privileges,
        List<NamespaceUse> namespaces,
        Optional<Setting<Boolean>> readOnlyRoot,
        List<Mount> mounts,
        List<Setting<String>> devices,
        List<Port> ports,
        List<Setting<String>> sysctls,
        List<Variable> environment,
        List<Setting<String>> arguments,
        List<List<Setting<String>>> asides,
        List<Variable> labels,
        Optional<Setting<HealthCheck>> health,
        Optional<Setting<String>> restart,
        Optional<Setting<LogBound>> logging) {

    /// Limits of the container. A value of 0 or below means no bound.
    /// @param memory bytes
    /// @param cpus cores
    /// @param storage bytes of the writable layer
    public record Limits(
            Optional<Setting<Long>> memory,
            Optional<Setting<Double>> cpus,
            Optional<Setting<Long>> pids,
            Optional<Setting<Long>> storage) {}

    /// Rights of the container's processes.
    /// @param added capabilities, without `CAP_`, in capitals
    /// @param noNewPrivileges whether `no_new_privs` is set
    /// @param seccomp the profile: `unconfined`, a file's name, `RuntimeDefault`
    /// @param lsm AppArmor's and SELinux's settings
    public record Privileges(
            Optional<Setting<Boolean>> privileged,
            List<Setting<String>> added,
            List<Setting<String>> dropped,
            Optional<Setting<Boolean>> noNewPrivileges,
            Optional<Setting<String>> seccomp,
            List<Setting<String>> lsm) {}

    /// A namespace that is not the container's own.
    public enum Namespace {
        NETWORK,
        PID,
        IPC,
        UTS,
        USER,
        CGROUP
    }

    /// A namespace shared with the host or with another container.
    /// @param host whether it is the host's in the end
    /// @param through the containers whose namespace it is, each joining the next
    public record NamespaceUse(Namespace namespace, boolean host, List<String> through, Place place) {}

    /// The source of a mount.
    public enum MountKind {
        BIND,
        VOLUME,
        TMPFS,
        OTHER
    }

    /// Something mounted into the container.
    /// @param source the path on the host for a bind, absolute and normalized; a volume's name
    /// @param written the source as the file has it
    /// @param propagation as `rshared`
    /// @param size the bound of a tmpfs, in bytes
    public record Mount(
            MountKind kind,
            String source,
            String written,
            String target,
            boolean readOnly,
            Optional<String> propagation,
            Optional<Long> size,
            Place place) {
        /// The same mount where another service takes it over.
        Mount at(Place taken, boolean onlyRead) {
            return new Mount(kind, source, written, target, onlyRead, propagation, size, taken);
        }
    }

    /// A port published on the host.
    /// @param address the host's address; absent for all of them
    /// @param published the host's port or range; empty if the runtime picks one
    public record Port(Optional<String> address, String published, String target, String protocol, Place place) {}

    /// An environment variable or a label.
    /// @param value absent where the value comes from elsewhere: the caller's environment, a secret
    /// @param interpolated whether a variable of the file gave the value
    /// @param inFile the file of `NAME=value` lines that it stands in, where it does
    public record Variable(
            String name, Optional<String> value, boolean interpolated, Optional<String> inFile, Place place) {}

    /// The bounds of a container's log.
    /// @param bounded whether the driver's options, or the driver itself, keep it within bounds
    public record LogBound(String driver, boolean bounded) {}
}
