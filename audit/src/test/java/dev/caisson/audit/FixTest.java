package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Patches and overrides change what they are meant to and nothing else.
class FixTest extends FixFiles {
    private static final String[] MEANT = {
        "db cap_add",
        "db cap_drop",
        "db deploy",
        "db logging",
        "db network_mode",
        "db networks",
        "db pids_limit",
        "db read_only",
        "db security_opt",
        "db tmpfs",
        "db user",
        "web cap_drop",
        "web cpus",
        "web logging",
        "web mem_limit",
        "web pids_limit",
        "web ports",
        "web privileged",
        "web read_only",
        "web restart",
        "web security_opt",
        "web tmpfs",
        "web user",
        "web volumes"
    };

    @Test
    void an_applied_patch_settles_the_findings_and_compose_sees_only_the_meant_changes() throws Exception {
        assume("docker-compose");
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Files.createDirectories(root.resolve("conf"));
        Map<String, String> before = model("compose.yaml");
        Proposal proposal = FileAudit.propose(request("compose.yaml"));
        proposal.writeTo(root.resolve("out"));
        assertThat(root.resolve("compose.yaml")).hasContent(SHOP);

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .containsExactlyInAnyOrder(
                        "compose.yaml service web no-healthcheck",
                        "compose.yaml service db no-healthcheck",
                        "compose.yaml service db image-not-pinned");
        String after = Files.readString(root.resolve("compose.yaml"));
        assertThat(after)
                .contains(
                        "# the shop", "# one for all", "# what the world sees", "# not alpine", "# the only open port")
                .contains("\"127.0.0.1:80:80\"   # http", "  # the data\n  db:", "    - ALL")
                .contains("postgres\n      -c shared_buffers=64MB\n")
                .doesNotContain("docker.sock");
        assertThat(after.lines().filter(SHOP.lines().toList()::contains).toList())
                .as("what stays, stays in its order")
                .isEqualTo(SHOP.lines().filter(after.lines().toList()::contains).toList());
        assertThat(changed(before, model("compose.yaml"))).isSubsetOf(MEANT);
    }

    @Test
    void an_override_settles_the_same_and_leaves_the_file_alone() throws Exception {
        assume("docker-compose");
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Files.createDirectories(root.resolve("conf"));
        Map<String, String> before = model("compose.yaml");
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        Map<String, String> after = model("compose.yaml", "out/compose.override.yaml");

        assertThat(changed(before, after)).isSubsetOf(MEANT).contains("web read_only", "db cap_add", "web volumes");
        Files.copy(root.resolve("out/compose.override.yaml"), root.resolve("compose.override.yaml"));
        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .containsExactlyInAnyOrder(
                        "compose.yaml service web no-healthcheck",
                        "compose.yaml service db no-healthcheck",
                        "compose.yaml service db image-not-pinned");
        assertThat(after.get("/services/web/ports")).contains("127.0.0.1").doesNotContain("0.0.0.0");
    }

    @Test
    void a_safe_patch_holds_only_what_a_program_hardly_notices() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        assertThat(Files.readString(root.resolve("out/safe.patch")))
                .contains("+    pids_limit: 512", "max-size")
                .doesNotContain("read_only", "cap_drop", "+    user:");
    }

    @Test
    void a_manifest_of_several_documents_is_patched_in_the_right_place() throws Exception {
        Files.writeString(root.resolve("pod.yaml"), POD);
        FileAudit.propose(request("pod.yaml")).writeTo(root.resolve("out"));

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(failed(FileAudit.run(request("pod.yaml"))).stream()
                        .map(name -> name.substring(name.lastIndexOf(' ') + 1))
                        .distinct())
                .containsExactlyInAnyOrder("image-not-pinned", "no-healthcheck");
        assertThat(root.resolve("pod.yaml")).content().contains("# debugging", "# the program", "# two");
    }

    @Test
    void a_dockerfile_keeps_everything_but_the_lines_that_change() throws Exception {
        String text = """
                # syntax=docker/dockerfile:1
                FROM debian:13
                # fetch
                ADD app /srv/app
                RUN apt-get update && apt-get install -y nginx  # web
                COPY . /srv
                CMD ["nginx"]
                """;
        Files.createDirectories(root.resolve("a b"));
        Files.writeString(root.resolve("a b/Dockerfile"), text);
        FileAudit.propose(request("a b/Dockerfile")).writeTo(root.resolve("out"));

        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(root.resolve("a b/Dockerfile"))
                .hasContent(text.replace("ADD app", "COPY app").replace("CMD", "USER 65532:65532\nCMD"));
        assertThat(root.resolve("a b/.dockerignore")).content().contains(".git\n", ".env\n");
        assertThat(failed(FileAudit.run(request("a b/Dockerfile"))))
                .noneMatch(name -> name.endsWith("image-user-root") || name.endsWith("add-for-copy"));
    }

    @Test
    void line_breaks_merge_keys_and_a_missing_last_one_are_kept() throws Exception {
        String text = String.join(
                "\r\n",
                List.of(
                        "x-base: &base",
                        "  cap_drop: [NET_RAW]",
                        "services:",
                        "  web:",
                        "    <<: *base # shared",
                        "    image: a:1",
                        "    read_only: true"));
        Files.writeString(root.resolve("compose.yaml"), text);
        FileAudit.propose(request("compose.yaml")).writeTo(root.resolve("out"));

        run("patch", "--binary", "-p1", "-i", "out/fixes.patch");

        String after = Files.readString(root.resolve("compose.yaml"));
        assertThat(after)
                .contains("    cap_drop:\r\n      - NET_RAW\r\n      - ALL")
                .startsWith(text);
        assertThat(after.replace("\r\n", "")).doesNotContain("\n");
        assertThat(failed(FileAudit.run(request("compose.yaml"))))
                .noneMatch(name -> name.endsWith("capabilities-kept"));
    }

    @Test
    void a_port_that_is_none_is_not_written_into_a_proposal() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), """
                services:
                  web:
                    image: a:1
                    ports:
                      - '80"]}, evil: {privileged: true}, x: {ports: ["1'
                      - '81:82/tcp"'
                      - "83:84/udp"
                      - '85-86:85-86'
                """);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));

        for (Proposal.Contents contents : proposal.files().values()) {
            assertThat(new String(contents.bytes(), StandardCharsets.UTF_8))
                    .doesNotContain("127.0.0.1:80", "127.0.0.1:81", "+      evil")
                    .matches("(?s).*(?:83:84/udp|pids_limit).*");
        }
        assertThat(new String(proposal.files().get("compose.override.yaml").bytes(), StandardCharsets.UTF_8))
                .contains("127.0.0.1:83:84/udp", "127.0.0.1:85-86:85-86");
    }

    @Test
    void what_a_file_settles_is_told() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);

        assertThat(FileAudit.propose(request("compose.yaml")).notes())
                .extracting(note -> note.file() + " " + note.settles())
                .containsExactly(
                        "safe.patch 6 of 25 findings go away",
                        "fixes.patch 22 of 25 findings go away",
                        "compose.override.yaml 22 of 25 findings go away");
    }

    /// Without its line a list of packages would be empty, and without its value `-o` would take the next word.
    @Test
    void what_switches_a_check_off_is_taken_out_where_it_is_a_word_of_its_own() throws Exception {
        Files.writeString(root.resolve("Dockerfile"), """
                FROM debian:13
                RUN echo 'deb [trusted=yes] https://x.example/ /' >/etc/apt/sources.list.d/x.list
                RUN apt-get -o APT::Get::AllowUnauthenticated=true install -y x
                RUN apt-get -oAPT::Get::AllowUnauthenticated=true install -y --allow-unauthenticated y
                """);

        Proposal proposal = FileAudit.propose(request("Dockerfile"));
        proposal.writeTo(root.resolve("out"));
        run("patch", "-p1", "-i", "out/fixes.patch");

        assertThat(Files.readString(root.resolve("Dockerfile"))).contains("""
                RUN echo 'deb [trusted=yes] https://x.example/ /' >/etc/apt/sources.list.d/x.list
                RUN apt-get -o APT::Get::AllowUnauthenticated=true install -y x
                RUN apt-get install -y --allow-unauthenticated y
                """);
    }
}
