package dev.caisson.cli.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cli.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The commands for images, on a registry of Debian's package `docker-registry` with an image that skopeo made of
/// Debian's busybox.
@Tag("root")
@Tag("peers")
@Timeout(180)
class ImageCommandsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    static Path temporary;

    private static @Nullable Process registry;
    private static String host = "";

    @BeforeAll
    static void a_registry_with_an_image() throws IOException, InterruptedException {
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            host = "127.0.0.1:" + free.getLocalPort();
        }
        Path file = temporary.resolve("registry.yml");
        Files.writeString(
                file,
                "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + temporary
                        + "/registry}}\nhttp: {addr: \"" + host + "\"}\n");
        registry = new ProcessBuilder("docker-registry", "serve", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(temporary.resolve("registry.log").toFile())
                .start();
        Path bin = Files.createDirectories(temporary.resolve("root/bin"));
        Files.copy(Path.of("/bin/busybox"), bin.resolve("busybox"));
        Files.createLink(bin.resolve("sh"), bin.resolve("busybox"));
        run("tar", "-C", temporary + "/root", "-cf", temporary + "/root.tar", ".");
        awaitRegistry();
        push("1");
    }

    private static void push(String tag) throws IOException, InterruptedException {
        run(
                "skopeo",
                "--insecure-policy",
                "copy",
                "-q",
                "--dest-tls-verify=false",
                "tarball:" + temporary + "/root.tar",
                "docker://" + host + "/box:" + tag);
    }

    private static void awaitRegistry() throws InterruptedException {
        int port = Integer.parseInt(host.substring(host.indexOf(':') + 1));
        for (int tries = 0; tries < 200; tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                Thread.sleep(50);
            }
        }
        throw new AssertionError("no registry");
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    @AfterAll
    static void end() throws InterruptedException {
        Answer.caisson("rmi", host + "/box:1", host + "/box:2", host + "/box:3");
        if (registry != null) {
            registry.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
    }

    private static Answer ok(String... words) {
        Answer answer = Answer.caisson(words);
        assertThat(answer.status()).as(answer.err()).isZero();
        return answer;
    }

    @Test
    void a_run_fetches_what_is_missing_and_runs_it() {
        Answer.caisson("rmi", "-f", host + "/box:1");
        Answer ran = ok("run", "--rm", host + "/box:1", "sh", "-c", "test -e /bin/busybox");
        assertThat(ran.err()).contains("Unable to find image '" + host + "/box:1' locally");
        assertThat(ok("run", "--rm", host + "/box:1", "sh", "-c", "exit 0").err())
                .doesNotContain("Unable");
        assertThat(ok("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").out())
                .contains(host + "/box:1");
        assertThat(Answer.caisson("run", "--rm", "--pull", "never", host + "/box:9", "sh")
                        .err())
                .contains("caisson: NOT_FOUND");
    }

    @Test
    void a_pull_says_whether_the_image_is_new() throws Exception {
        push("2");
        assertThat(ok("pull", host + "/box:2").out()).contains("Digest: sha256:", "Downloaded newer image for");
        assertThat(ok("pull", host + "/box:2").out()).contains("Image is up to date for " + host + "/box:2");
        assertThat(ok("pull", "-q", host + "/box:2").out()).isEqualTo(host + "/box:2\n");
    }

    @Test
    void progress_is_lines_of_json_in_the_form_of_docker_s_api() {
        Answer.caisson("rmi", "-f", host + "/box:1");
        Answer.caisson("image", "prune", "-a", "-f");
        Answer pulled = ok("pull", "--progress", "json", host + "/box:1");
        Answer pushed = ok("push", "--progress", "json", host + "/box:1");

        for (Answer answer : List.of(pulled, pushed)) {
            assertThat(answer.err().lines())
                    .isNotEmpty()
                    .allSatisfy(
                            line -> assertThat(line)
                                    .matches(
                                            "\\{\"status\":\"[A-Z][A-Za-z ]+\",\"progressDetail\":\\{\"current\":\\d+,\"total\":\\d+},\"id\":\"[0-9a-f]{12}\"}"));
        }
        assertThat(pushed.err()).contains("Layer already exists");
        assertThat(pulled.out()).contains("Digest: sha256:");
        assertThat(Answer.caisson("pull", "--progress", "xml", host + "/box:1").err())
                .contains("--progress is auto, plain or json, not xml");
    }

    @Test
    void the_last_name_of_an_image_stays_while_a_container_has_it() throws Exception {
        push("3");
        ok("pull", "-q", host + "/box:3");
        for (String image : ok("images", "-q", host + "/box").out().lines().toList()) {
            ok("tag", image, "keep:1");
        }
        String id = ok("create", "--name", "holder", "keep:1", "sh").out().strip();
        try {
            for (String tag : List.of("1", "2", "3")) {
                Answer.caisson("rmi", host + "/box:" + tag);
            }
            Answer refused = Answer.caisson("rmi", "keep:1");
            assertThat(refused.status()).isEqualTo(1);
            assertThat(refused.err()).contains("IMAGE_IN_USE", "holder");
        } finally {
            ok("rm", "-f", id);
        }
        assertThat(ok("rmi", "keep:1").out()).contains("Untagged: keep:1", "Deleted: sha256:");
    }

    @Test
    void an_image_is_inspected_verified_and_removed_by_force() {
        ok("import", "-c", "LABEL test=forced", temporary + "/root.tar", "forced:1");
        ok("tag", "forced:1", "forced:2");
        assertThat(ok("inspect", "-f", "{{json .RepoTags}} {{.RootFS.Type}}", "forced:1")
                        .out())
                .contains("\"forced:1\"", " layers");
        assertThat(ok("image", "inspect", "forced:1").out()).contains("\"Id\": \"sha256:");
        assertThat(Answer.caisson("inspect", "--type", "container", "forced:1").err())
                .contains("CONTAINER_UNKNOWN");
        assertThat(ok("history", "--format", "{{.Comment}}", "forced:1").out()).contains("Imported from");
        assertThat(ok("image", "verify", "forced:1").out()).contains("forced:1: ok (blobs read: 3");

        String id = ok("images", "-q", "forced:1").out().strip();
        assertThat(Answer.caisson("rmi", id).err()).contains("IMAGE_HAS_NAMES", "forced:1");
        String container = ok("create", "forced:1", "sh").out().strip();
        try {
            assertThat(ok("rmi", "-f", id).out()).contains("Untagged: forced:1").doesNotContain("Deleted");
            assertThat(ok("start", container).err()).isEmpty();
        } finally {
            ok("rm", "-f", container);
        }
        assertThat(ok("rmi", id).out()).contains("Deleted: sha256:");
    }

    private static List<String> filtered(String... filters) {
        var words = new ArrayList<>(List.of("images", "--format", "{{.Repository}}:{{.Tag}}"));
        for (String filter : filters) {
            words.addAll(List.of("--filter", filter));
        }
        return ok(words.toArray(String[]::new))
                .out()
                .lines()
                .filter(line -> line.contains("filtered"))
                .toList();
    }

    @Test
    void images_are_filtered_as_docker_filters_them() throws Exception {
        ok("import", "-c", "LABEL test=one", "-c", "LABEL a=b", temporary + "/root.tar", "filtered:1");
        Thread.sleep(1100); // an import has the second of its time
        ok("import", "-c", "LABEL test=two", temporary + "/root.tar", "team/filtered:2.1");
        ok("tag", "filtered:1", host + "/filtered:3");

        assertThat(filtered("reference=filtered")).containsExactly("filtered:1");
        assertThat(filtered("reference=f*:1")).containsExactly("filtered:1");
        assertThat(filtered("reference=*")).containsExactly("filtered:1"); // stands for no slash
        assertThat(filtered("reference=**/filtered:2.?")).containsExactly("team/filtered:2.1");
        assertThat(filtered("reference=filtered", "reference=*/filtered:2*"))
                .containsExactlyInAnyOrder("filtered:1", "team/filtered:2.1");
        assertThat(filtered("reference=" + host + "/*")).containsExactly(host + "/filtered:3");
        assertThat(filtered("label=test=two")).containsExactly("team/filtered:2.1");
        assertThat(filtered("label=test", "label=a=b")).containsExactlyInAnyOrder("filtered:1", host + "/filtered:3");
        assertThat(filtered("label=test", "label!=a")).containsExactly("team/filtered:2.1");
        assertThat(filtered("since=filtered:1")).containsExactly("team/filtered:2.1");
        assertThat(filtered("before=team/filtered:2.1", "reference=filtered")).containsExactly("filtered:1");
        assertThat(filtered("until=1h", "label=test")).isEmpty();
        assertThat(filtered("dangling=true", "label=test")).isEmpty();

        for (String wrong : List.of("bogus=1", "dangling=x", "reference=[", "since=none:1", "label")) {
            Answer refused = Answer.caisson("images", "--filter", wrong);
            assertThat(refused.status()).as(wrong).isEqualTo(1);
            assertThat(refused.err()).as(wrong).hasLineCount(1).containsAnyOf("USAGE", "IMAGE_UNKNOWN");
        }
        ok("rmi", "filtered:1", "team/filtered:2.1", host + "/filtered:3");
    }

    @Test
    void what_docker_takes_and_what_means_nothing_here_is_taken() {
        Answer gone = ok("rmi", "-f", "nothing:1");
        assertThat(gone.err()).contains("IMAGE_UNKNOWN");
        assertThat(Answer.caisson("rmi", "nothing:1").status()).isEqualTo(1);

        ok("import", temporary + "/root.tar", "taken:1");
        ok("save", "-o", temporary + "/taken.tar", "taken:1");
        assertThat(ok("load", "-q", "-i", temporary + "/taken.tar").out()).isEqualTo("Loaded image: taken:1\n");
        assertThat(Answer.caisson("tag", "taken:1", "0".repeat(64)).err()).contains("BAD_NAME");
        String id = ok("create", "taken:1", "sh").out().strip();
        try {
            String made = ok("commit", id).out().strip();
            assertThat(made).matches("sha256:[0-9a-f]{64}");
            assertThat(ok("images", "-q", "--no-trunc", "-f", "dangling=true").out())
                    .contains(made);
            ok("rmi", made);
        } finally {
            ok("rm", "-f", id);
        }
        ok("rmi", "taken:1");
    }

    @Test
    void a_pushed_image_is_read_by_skopeo_and_a_wrong_word_refused() throws Exception {
        ok("import", "-c", "CMD [\"sh\"]", temporary + "/root.tar", host + "/team/made:1");
        assertThat(ok("push", host + "/team/made:1").out()).contains("1: digest: sha256:");
        assertThat(ok("push", host + "/team/made:1").err()).contains("Layer already exists");
        ok("tag", host + "/team/made:1", host + "/other/made:2");
        assertThat(ok("push", "-q", "--all-tags", host + "/other/made").out()).isEqualTo(host + "/other/made:2\n");
        run("skopeo", "inspect", "--tls-verify=false", "docker://" + host + "/other/made:2");
        ok("rmi", host + "/team/made:1", host + "/other/made:2");
        assertThat(ok("run", "--rm", host + "/team/made:1", "sh", "-c", "exit 0")
                        .status())
                .isZero();
        ok("rmi", host + "/team/made:1");

        assertThat(Answer.caisson("push", host + "/none:1").err()).contains("IMAGE_UNKNOWN");
        assertThat(Answer.caisson("push", "-a", host + "/none:1").err()).contains("USAGE", "--all-tags");
        Answer refused = Answer.caisson("login", "-u", "me", "-p", "hush", host);
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("OPTION_REFUSED", "--password-stdin").doesNotContain("hush");
        assertThat(Answer.caisson("login", "--password-stdin", host).err()).contains("USAGE", "-u");
    }

    @Test
    void archives_are_read_by_skopeo_and_those_of_skopeo_here() throws Exception {
        ok("import", "-c", "LABEL test=saved", temporary + "/root.tar", "saved:1");
        String id = ok("images", "-q", "--no-trunc", "saved").out().strip();
        Path docker = temporary.resolve("docker.tar");
        Path oci = temporary.resolve("oci.tar");
        ok("save", "-o", docker.toString(), "saved:1");
        ok("save", "--format", "oci", "-o", oci.toString(), "saved:1");
        run("skopeo", "inspect", "docker-archive:" + docker + ":saved:1");
        run("skopeo", "inspect", "oci-archive:" + oci + ":docker.io/library/saved:1");
        Path copied = temporary.resolve("copied.tar");
        run(
                "skopeo",
                "--insecure-policy",
                "copy",
                "-q",
                "docker-archive:" + docker + ":saved:1",
                "docker-archive:" + copied + ":docker.io/library/copied:1");
        for (Path archive : List.of(docker, oci, copied)) {
            String name = archive.equals(copied) ? "copied" : "saved";
            ok("rmi", "-f", id);
            assertThat(ok("load", "-i", archive.toString()).out()).isEqualTo("Loaded image: " + name + ":1\n");
            assertThat(ok("images", "-q", "--no-trunc", name).out().strip()).isEqualTo(id);
        }
        assertThat(ok("run", "--rm", "copied:1", "sh", "-c", "test -e /bin/busybox")
                        .status())
                .isZero();
        ok("rmi", "-f", id);
        assertThat(Answer.caisson("load", "-i", temporary + "/nothing").err()).contains("FILE_NOT_READ");
        assertThat(Answer.caisson("save", "-o", temporary + "/nothing", "nothing:1")
                        .err())
                .contains("IMAGE_UNKNOWN");
        assertThat(temporary.resolve("nothing")).doesNotExist();
    }

    private static String podman(String... words) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(
                "unshare",
                "-m",
                "--propagation",
                "private",
                "podman",
                "--root",
                temporary + "/podman",
                "--runroot",
                temporary + "/podman-run",
                "--storage-driver",
                "vfs"));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command)
                .redirectError(temporary.resolve("podman.err").toFile());
        builder.environment().put("PODMAN_IGNORE_CGROUPSV1_WARNING", "1");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(output + Files.readString(temporary.resolve("podman.err")))
                .isZero();
        return output.strip();
    }

    @Test
    void podman_has_the_same_image_of_an_archive_or_a_push_and_gives_it_back() throws Exception {
        String name = host + "/peer/box:1";
        ok("import", "-c", "ENV A=1", "-c", "LABEL b=2", temporary + "/root.tar", name);
        String id = ok("images", "-q", "--no-trunc", host + "/peer/box").out().strip();
        String layers = ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", name)
                .out()
                .strip();
        ok("push", name);
        for (String form : List.of("docker", "oci", "registry")) {
            Path archive = temporary.resolve(form + "-of-ours.tar");
            if (form.equals("registry")) {
                podman("pull", "-q", "--tls-verify=false", name);
            } else {
                ok("save", "--format", form, "-o", archive.toString(), name);
                podman("load", "-q", "-i", archive.toString());
            }
            assertThat(podman("image", "inspect", "--format", "sha256:{{.Id}} {{json .RootFS.Layers}}", name))
                    .isEqualTo(id + " " + layers);
            ok("rmi", name);
            Path theirs = temporary.resolve(form + "-of-podman.tar");
            podman(
                    "save",
                    "--format",
                    form.equals("oci") ? "oci-archive" : "docker-archive",
                    "-o",
                    theirs.toString(),
                    name);
            assertThat(ok("load", "-i", theirs.toString()).out()).isEqualTo("Loaded image: " + name + "\n");
            assertThat(ok("images", "-q", "--no-trunc", host + "/peer/box")
                            .out()
                            .strip())
                    .isEqualTo(id);
            assertThat(ok("image", "verify", name).out()).contains(": ok ");
            podman("rmi", "-f", name);
        }
        ok("rmi", name);
    }

    @Test
    void a_container_s_files_become_an_image_of_one_layer() throws Exception {
        Path archive = temporary.resolve("box.tar");
        ok("import", "-c", "CMD [\"sh\"]", temporary + "/root.tar", "flat:1");
        String id = ok("create", "flat:1").out().strip();
        try {
            ok("export", "-o", archive.toString(), id);
        } finally {
            ok("rm", id);
        }
        assertThat(Files.getPosixFilePermissions(archive))
                .isEqualTo(java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
        ok("import", "-m", "flattened", archive.toString(), "flat:2");
        assertThat(ok("history", "--format", "{{.Comment}}", "flat:2").out()).isEqualTo("flattened\n");
        assertThat(ok("run", "--rm", "flat:2", "sh", "-c", "exit 0").status()).isZero();
        assertThat(Answer.caisson("import", "https://example.org/root.tar", "flat:3")
                        .err())
                .contains("OPTION_REFUSED", "curl");
        ok("rmi", "flat:1", "flat:2");
    }

    @Test
    void another_machine_s_platform_and_a_wrong_word_are_refused() {
        assertThat(Answer.caisson("pull", "--platform", "linux/mips", host + "/box:1")
                        .status())
                .isEqualTo(1);
        assertThat(Answer.caisson("run", "--platform", "linux/mips", host + "/box:1")
                        .err())
                .contains("PLATFORM_FOREIGN", "mips");
        assertThat(Answer.caisson("run", "--pull", "sometimes", host + "/box:1").err())
                .contains("always, missing or never");
        assertThat(Answer.caisson("images", "--filter", "x=y").status()).isEqualTo(1);
        assertThat(Answer.caisson("rmi", "nothing:1").err()).contains("IMAGE_UNKNOWN");
    }
}
