package dev.caisson.hostaudit.facts;

import dev.caisson.audit.AuditException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The container engine: what it says of itself and what its process shows.
///
/// @param socket the API's socket that was asked
/// @param process absent where no process could be tied to the socket
/// @param configuration the effective one: defaults, then the file, then the flags of that very process
/// @param listeners TCP sockets of the engine's own process
/// @param hostListeners all of its network namespace but those of port proxies
/// @param binaries by role: `dockerd`, `containerd`, `containerd-shim`, `containerd-shim-runc-v1`,
///     `containerd-shim-runc-v2`, `runc`
/// @param product `docker` or `podman`
public record EngineFacts(
        String socket,
        Optional<EngineProcess> process,
        Claims claims,
        Map<String, Setting> configuration,
        String configurationFile,
        Map<String, String> binaries,
        Optional<String> containerdSocket,
        DataRoot dataRoot,
        List<Listener> listeners,
        List<Listener> hostListeners,
        List<String> sockets,
        List<ServerProbe> probes,
        int proxies,
        List<NetworkFacts> networks,
        Optional<SwarmFacts> swarm,
        String product) {
    public static final String DEFAULT_FILE = "/etc/docker/daemon.json";

    private static final Pattern OF_USER = Pattern.compile("/run/user/(\\d{1,10})/.*");

    private static final Pattern CONTAINER_ID = Pattern.compile("[0-9a-f]{12,64}");
    private static final Pattern IMAGE_ID = Pattern.compile("(?:sha256:)?[0-9a-f]{12,64}");

    /// Ids become parts of requests and of paths, and name control groups.
    public static boolean isContainerId(String id) {
        return CONTAINER_ID.matcher(id).matches();
    }

    public static boolean isImageId(String id) {
        return IMAGE_ID.matcher(id).matches();
    }

    public static AuditException noId(String id) {
        return new AuditException(
                AuditException.Code.ENGINE_ANSWER, "the engine gives it the id '" + Excerpt.of(id, 80) + "'");
    }

    /// The process that listens on the socket.
    ///
    /// @param uid as the first user namespace sees it
    /// @param namespaces by kind
    /// @param openFiles its own limit, soft and hard, which containers inherit
    public record EngineProcess(
            long pid,
            String executable,
            List<String> arguments,
            long uid,
            Map<String, Long> namespaces,
            String unit,
            String openFiles) {}

    /// The engine as its API describes it.
    public record Claims(
            String version,
            String apiVersion,
            String containerdVersion,
            String runcVersion,
            String rootDirectory,
            String storageDriver,
            String backingFileSystem,
            String loggingDriver,
            String cgroupDriver,
            boolean debug,
            boolean liveRestore,
            boolean experimental,
            List<String> securityOptions,
            List<String> insecureRegistries,
            List<String> registryMirrors,
            List<String> authorizationPlugins,
            String swarmState,
            List<String> warnings) {}

    /// One setting and who decided it: `default`, `file` or `flag`.
    public record Setting(List<String> values, String source) {
        public String text() {
            return String.join(", ", values);
        }
    }

    /// The directory of images and containers.
    ///
    /// @param mountedAlone a file system whose own root it is, not a bind mount of a directory
    public record DataRoot(String path, boolean mountedAlone, String device, String parentDevice) {
        /// Returns the same of a directory of that file system.
        public DataRoot at(String directory) {
            return new DataRoot(directory, mountedAlone, device, parentDevice);
        }
    }

    /// A TCP or UDP socket that waits for connections.
    public record Listener(String protocol, String address, int port, long inode) {
        public boolean wildcard() {
            return address.equals("0.0.0.0") || address.equals("::");
        }

        @Override
        public String toString() {
            return protocol + " " + (address.indexOf(':') >= 0 ? "[" + address + "]" : address) + ":" + port;
        }
    }

    /// The answer of a TCP listener of the API to a request without a client certificate.
    ///
    /// @param outcome `plain` answered without TLS, `any-client` answered any TLS client, `refused`,
    ///     or `unreachable`
    public record ServerProbe(String listener, String outcome, String detail) {}

    /// A network of the engine.
    public record NetworkFacts(
            String id,
            String name,
            String driver,
            String scope,
            boolean internal,
            boolean ingress,
            Map<String, String> options,
            List<String> gateways) {}

    /// The swarm, as its manager tells it.
    ///
    /// @param managers how many nodes manage it
    /// @param nodeCertificateSeconds how long a node's certificate is valid
    /// @param rootCertificateSecond since when the root certificate is valid, 0 where it cannot be told
    public record SwarmFacts(
            int managers,
            int reachableManagers,
            boolean autoLock,
            long nodeCertificateSeconds,
            long rootCertificateSecond,
            int rootRotation,
            String nodeAddress,
            String dataPathAddress,
            String listenAddress,
            int secrets,
            List<ServiceFacts> services) {}

    /// A service of the swarm.
    ///
    /// @param secretVariables names of variables that hold a secret
    public record ServiceFacts(String name, int secrets, List<String> secretVariables) {}

    /// Returns the name that tells its findings from those of other engines, the same whichever others there are:
    /// `docker`, `podman`, or `podman-1000` of a user's own.
    public String name() {
        Matcher user = OF_USER.matcher(socket);
        return (isPodman() ? "podman" : "docker") + (user.matches() ? "-" + user.group(1) : "");
    }

    public boolean isPodman() {
        return product.equals("podman");
    }

    public Optional<Setting> setting(String name) {
        return Optional.ofNullable(configuration.get(name));
    }

    /// The setting as one text, empty where nothing decides it.
    public String text(String name) {
        return setting(name).map(Setting::text).orElse("");
    }

    public boolean isOn(String name) {
        return text(name).equals("true");
    }

    public boolean rootless() {
        return claims.securityOptions().stream().anyMatch(option -> option.equals("name=rootless"));
    }

    /// True if it cannot have more rights than some user: by its process where that is known.
    public boolean isOfUser() {
        return process.map(found -> found.uid() > 0).orElse(rootless());
    }

    /// The engine's version as numbers, `26.1.5` as 26001005.
    public long versionNumber() {
        return Numbers.ofVersion(claims.version());
    }
}
