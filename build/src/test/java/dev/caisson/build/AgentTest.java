package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.ImageReference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `RUN --mount=type=ssh` with OpenSSH's agent and programs.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class AgentTest {
    private static final Pattern LIBRARY = Pattern.compile("(/\\S+\\.so\\S*)");

    @TempDir
    private Path directory;

    private BuildBed bed;
    private Process agent;
    private Path socket;

    @BeforeEach
    void open() throws Exception {
        bed = new BuildBed(directory, "agent");
        socket = directory.resolve("agent");
        agent = new ProcessBuilder("ssh-agent", "-D", "-a", socket.toString()).start();
        while (!Files.exists(socket)) {
            Thread.sleep(10);
        }
        said("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "key-of-the-test", "-f", directory + "/key");
        said("ssh-add", "-q", directory + "/key");
        program("/usr/bin/ssh-add");
        program("/usr/bin/ssh-keygen");
        bed.build("FROM busybox:1", "COPY root/ /", "ENV PATH=/bin:/usr/bin");
    }

    @AfterEach
    void close() throws Exception {
        agent.destroy();
        agent.waitFor();
        bed.close();
    }

    private String said(String... words) throws Exception {
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().put("SSH_AUTH_SOCK", socket.toString());
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        return text;
    }

    /// Puts a program of the host and its libraries into the context.
    private void program(String path) throws Exception {
        copy(path);
        for (String library : LIBRARY.matcher(said("ldd", path))
                .results()
                .map(found -> found.group(1))
                .toList()) {
            copy(library);
        }
    }

    private void copy(String path) throws IOException {
        Path to = bed.context.resolve("root" + path);
        Files.createDirectories(to.getParent());
        if (!Files.exists(to)) {
            Files.copy(Path.of(path).toRealPath(), to);
        }
    }

    private BuildRequest lent(String... lines) {
        var all = new ArrayList<>(List.of("FROM built:1"));
        all.addAll(List.of(lines));
        BuildRequest request = bed.request(all.toArray(String[]::new));
        return new BuildRequest(
                        request.dockerfile(),
                        request.context(),
                        request.ignore(),
                        List.of(ImageReference.parse("signed:1")),
                        request.arguments(),
                        request.target(),
                        request.labels(),
                        request.secrets(),
                        request.network(),
                        request.cached(),
                        request.pulled(),
                        request.latest(),
                        request.logins())
                .agents(Map.of("default", socket));
    }

    @Test
    void a_run_lists_and_signs_with_the_keys_and_the_next_one_has_none() throws Exception {
        String expected = said("ssh-add", "-l");
        Files.copy(directory.resolve("key.pub"), bed.context.resolve("key.pub"));

        bed.build(lent(
                "COPY key.pub /k/key.pub",
                "RUN --mount=type=ssh ssh-add -l && echo $SSH_AUTH_SOCK"
                        + " && echo text >/k/text && ssh-keygen -Y sign -f /k/key.pub -n file /k/text 2>&1",
                "RUN ls /run/buildkit 2>&1; echo \"socket:$SSH_AUTH_SOCK.\"; ssh-add -l 2>&1; true"));

        assertThat(bed.heard.output.toString())
                .contains(expected.strip(), "/run/buildkit/ssh_agent.0", "Write signature to /k/text.sig")
                .contains("socket:.", "Could not open a connection");
    }

    @Test
    void no_key_is_added_removed_or_locked() throws Exception {
        String expected = said("ssh-add", "-l");
        Files.copy(directory.resolve("key"), bed.context.resolve("key"));

        bed.build(lent(
                "COPY --chmod=600 key /k/key",
                "RUN --mount=type=ssh ssh-add -D; ssh-add -q /k/key; ssh-add -t 1 /k/key; ssh-add -l"));

        assertThat(bed.heard.output.toString()).contains("Failed to remove all identities", "Could not add identity");
        assertThat(said("ssh-add", "-l")).isEqualTo(expected);
    }

    @Test
    void the_socket_has_the_place_owner_and_mode_that_are_asked_for() throws Exception {
        bed.build(lent(
                "RUN --mount=type=ssh,target=/a/s,uid=1000,gid=1001,mode=0640 --mount=type=ssh ls -ln /a/s /run/buildkit",
                "USER app",
                "RUN --mount=type=ssh ssh-add -l 2>&1; true",
                "RUN --mount=type=ssh,uid=1000 ssh-add -l"));

        assertThat(bed.heard.output.toString())
                .containsPattern("srw-r----- +1 1000 +1001 .*/a/s")
                .containsPattern("srw------- +1 0 +0 .*ssh_agent.1")
                .contains("Permission denied", "key-of-the-test");
    }

    @Test
    void nothing_of_it_is_in_layers_history_or_key() throws Exception {
        String[] lines = {"RUN --mount=type=ssh ssh-add -l >/dev/null; echo made >/made"};
        BuildResult first = bed.build(lent(lines));
        String before = said("ssh-add", "-l");
        said("ssh-add", "-D");

        BuildResult again = bed.build(lent(lines));

        assertThat(again.id()).isEqualTo(first.id());
        assertThat(bed.heard.cached).isNotEmpty();
        assertThat(new String(bed.images.config(first.image()), StandardCharsets.UTF_8))
                .doesNotContain("SSH_AUTH_SOCK", "agent.", before.split(" ", -1)[1]);
        assertThat(bed.read(first, "/made")).isPresent();
        assertThat(bed.read(first, "/run/buildkit/ssh_agent.0").filter(text -> !text.isEmpty()))
                .isEmpty();
    }

    @Test
    void one_that_is_required_and_not_given_is_refused_and_another_is_not_there() throws Exception {
        BuildException failure = bed.failure(lent("RUN --mount=type=ssh,id=other,required ssh-add -l"));
        assertThat(failure.sentence()).contains("agent other is required", "--ssh other");
        assertThat(failure.code()).isEqualTo("BUILD_SSH");

        bed.build(lent("RUN --mount=type=ssh,id=other echo \"socket:$SSH_AUTH_SOCK.\""));
        assertThat(bed.heard.output.toString()).contains("socket:.");

        agent.destroy();
        agent.waitFor();
        assertThat(bed.failure(lent("RUN --mount=type=ssh ssh-add -l; true")).sentence())
                .contains("does not answer", "--ssh");
    }
}
