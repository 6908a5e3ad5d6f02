package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.ImageConfig;
import dev.caisson.containerfile.ImageReference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Base images as OCI layouts and Docker archives that the test writes.
class LocalImagesTest {
    private static final String ARCHITECTURE = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";

    @TempDir
    Path root = Path.of("");

    private String blob(byte[] content) throws IOException, NoSuchAlgorithmException {
        String hex =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        Path blobs = Files.createDirectories(root.resolve("layout/blobs/sha256"));
        Files.write(blobs.resolve(hex), content);
        return hex;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String descriptor(String type, String hex, long size, String more) {
        return "{\"mediaType\": \"application/vnd.oci.image.%s\", \"digest\": \"sha256:%s\", \"size\": %d%s}"
                .formatted(type, hex, size, more);
    }

    private byte[] layer(String name, String content) throws IOException, InterruptedException {
        Path tree = Files.createDirectories(root.resolve("tree-" + name.hashCode()));
        Path file = tree.resolve(name);
        Files.createDirectories(file.resolveSibling(".").normalize());
        Files.writeString(file, content);
        Path archive = root.resolve("layer.tar");
        Process tar = new ProcessBuilder("tar", "-C", tree.toString(), "-cf", archive.toString(), ".").start();
        assertThat(tar.waitFor()).isZero();
        return Files.readAllBytes(archive);
    }

    /// Two layers: accounts, and above them a file that says nothing of them.
    private String layout(String user) throws Exception {
        byte[] accounts = layer("etc/passwd", "root:x:0:0::/:\ntoor:x:0:0::/:\napp:x:1000:1000::/:\n");
        byte[] upper = layer("etc/motd", "hello\n");
        String lower = blob(accounts);
        String higher = blob(upper);
        byte[] config = bytes("""
                {"architecture": "%s", "os": "linux",
                 "config": {"User": "%s", "Env": ["PATH=/bin", "A=b"], "ExposedPorts": {"22/tcp": {}},
                            "Healthcheck": {"Test": ["CMD-SHELL", "curl -f http://localhost"]}},
                 "rootfs": {"type": "layers", "diff_ids": ["sha256:%s", "sha256:%s"]}}
                """.formatted(ARCHITECTURE, user, lower, higher));
        byte[] manifest = bytes("{\"schemaVersion\": 2, \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\","
                + " \"config\": " + descriptor("config.v1+json", blob(config), config.length, "")
                + ", \"layers\": [" + descriptor("layer.v1.tar", lower, accounts.length, "") + ", "
                + descriptor("layer.v1.tar", higher, upper.length, "") + "]}");
        String name = ", \"annotations\": {\"org.opencontainers.image.ref.name\": \"latest\"}";
        String digest = blob(manifest);
        Files.writeString(root.resolve("layout/oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}");
        Files.writeString(
                root.resolve("layout/index.json"),
                "{\"schemaVersion\": 2, \"manifests\": ["
                        + descriptor("manifest.v1+json", digest, manifest.length, name) + "]}");
        return "sha256:" + digest;
    }

    private LocalImages images() {
        return new LocalImages(Map.of("base:1", "oci:" + root.resolve("layout") + ":latest"));
    }

    private AuditRequest request() {
        return FileRequests.of(root, images(), Severity.HIGH, "Dockerfile");
    }

    private Optional<Finding> failure(String check) {
        return FileAudit.run(request()).findings().stream()
                .filter(finding -> finding.check().name().equals(check) && finding.status() == Status.FAIL)
                .findFirst();
    }

    @Test
    void an_image_tells_its_user_accounts_health_check_ports_and_digest() throws Exception {
        String digest = layout("app");

        ImageConfig config =
                images().find(ImageReference.parse("base:1").orElseThrow()).orElseThrow();

        assertThat(config.digest()).contains(digest);
        assertThat(config.user()).isEqualTo("app");
        assertThat(config.users()).isEqualTo(Map.of("root", 0L, "toor", 0L, "app", 1000L));
        assertThat(config.health()).contains(new HealthCheck.ShellForm("curl -f http://localhost"));
        assertThat(config.ports()).containsExactly("22/tcp");
        assertThat(images().find(ImageReference.parse("base:2").orElseThrow())).isEmpty();
        assertThat(images().find(ImageReference.parse("base:1@sha256:" + "0".repeat(64))
                        .orElseThrow()))
                .as("another digest is another image")
                .isEmpty();
    }

    @Test
    void a_docker_archive_tells_the_same_but_no_digest() throws Exception {
        layout("app");
        byte[] accounts = layer("etc/passwd", "toor:x:0:0::/:\n");
        String hex =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(accounts));
        Path tree = Files.createDirectories(root.resolve("archive/" + hex));
        Files.write(tree.resolve("layer.tar"), accounts);
        byte[] config = bytes(
                "{\"architecture\": \"%s\", \"os\": \"linux\", \"config\": {\"User\": \"toor\"}, \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:%s\"]}}"
                        .formatted(ARCHITECTURE, hex));
        String configHex =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(config));
        Files.write(root.resolve("archive/" + configHex + ".json"), config);
        Files.writeString(
                root.resolve("archive/manifest.json"),
                "[{\"Config\": \"%s.json\", \"RepoTags\": [\"base:1\"], \"Layers\": [\"%s/layer.tar\"]}]"
                        .formatted(configHex, hex));
        Path archive = root.resolve("base.tar");
        assertThat(new ProcessBuilder(
                                "tar",
                                "-C",
                                root.resolve("archive").toString(),
                                "-cf",
                                archive.toString(),
                                "manifest.json",
                                configHex + ".json",
                                hex + "/layer.tar")
                        .start()
                        .waitFor())
                .isZero();

        ImageConfig found = new LocalImages(Map.of("base:1", "docker-archive:" + archive))
                .find(ImageReference.parse("base:1").orElseThrow())
                .orElseThrow();

        assertThat(found.digest()).isEmpty();
        assertThat(found.user()).isEqualTo("toor");
        assertThat(found.users()).isEqualTo(Map.of("toor", 0L));
    }

    @Test
    void the_final_stage_is_judged_with_its_base() throws Exception {
        layout("toor");
        Files.writeString(root.resolve("Dockerfile"), "FROM base:1\n");
        assertThat(failure("image-user-root")).isPresent();
        assertThat(failure("image-no-healthcheck")).isEmpty();
        assertThat(failure("admin-port-exposed")).isPresent();

        Files.writeString(root.resolve("Dockerfile"), "FROM base:1\nUSER app\n");
        assertThat(failure("image-user-root")).isEmpty();
    }

    @Test
    void a_present_base_is_pinned_by_the_safe_patch() throws Exception {
        String digest = layout("app");
        Files.writeString(root.resolve("Dockerfile"), "FROM base:1 AS x\n");

        FileAudit.propose(request()).writeTo(root.resolve("out"));

        assertThat(Files.readString(root.resolve("out/safe.patch"))).contains("+FROM base:1@" + digest + " AS x");
    }

    @Test
    void what_cannot_be_read_is_an_error_and_never_an_unknown_base() {
        LocalImages missing = new LocalImages(Map.of("base:1", "oci:" + root.resolve("none")));

        assertThatThrownBy(() -> missing.find(ImageReference.parse("base:1").orElseThrow()))
                .isInstanceOfSatisfying(
                        AuditException.class,
                        e -> assertThat(e.reason()).isEqualTo(AuditException.Code.INPUT_UNREADABLE));
        assertThatThrownBy(() -> new LocalImages(Map.of("base:1", "nonsense!"))).isInstanceOf(AuditException.class);
        assertThatThrownBy(() -> new LocalImages(Map.of("Not A Name", "host"))).isInstanceOf(AuditException.class);
    }
}
