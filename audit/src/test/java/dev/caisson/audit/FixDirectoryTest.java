package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.containerfile.SourceTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where proposals are written, and what they leave alone.
class FixDirectoryTest extends FixFiles {
    @Test
    void nothing_is_written_where_compose_would_take_it_up() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));

        assertThatThrownBy(() -> proposal.writeTo(root)).isInstanceOf(AuditException.class);
        assertThat(root.resolve("fixes.patch")).doesNotExist();
    }

    /// The names of files are whatever a stranger's archive says.
    @Test
    void a_command_that_is_told_can_be_given_to_a_shell() throws Exception {
        String name = "-d $(touch pwned) 'it' \"s\\";
        Path directory = Files.createDirectories(root.resolve(name));
        Files.writeString(directory.resolve("compose.yaml"), SHOP);
        Files.writeString(directory.resolve("Dockerfile"), "FROM a\nADD x /x\n");
        Path out = root.resolve("o `touch pwned`");
        Proposal proposal = FileAudit.propose(request("."));
        proposal.writeTo(out);

        String told = proposal.notes().get(1).below(out);
        run("sh", "-c", told.substring(told.indexOf(": patch ") + 2));

        assertThat(directory.resolve("compose.yaml")).content().contains("127.0.0.1:80:80");
        assertThat(directory.resolve("Dockerfile")).content().contains("COPY x /x");
        assertThat(root.resolve("pwned")).doesNotExist();
        String compose = proposal.notes().getLast().below(out);
        compose = compose.substring(compose.indexOf(": docker compose ") + ": docker compose ".length());
        assertThat(run("sh", "-c", "printf '<%s>\n' " + compose))
                .isEqualTo("<-f>\n<./" + name + "/compose.yaml>\n<-f>\n<" + out + "/" + name
                        + "/compose.override.yaml>\n<config>\n");
        assertThat(root.resolve("pwned")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\u001b[31mb", "a\u009bb", "a\u202eb", "a\tb"})
    void a_name_that_a_patch_cannot_carry_gets_none(String name) throws Exception {
        Path directory = Files.createDirectories(root.resolve(name));
        Files.writeString(directory.resolve("compose.yaml"), SHOP);
        Files.writeString(directory.resolve("Dockerfile"), "FROM a\nADD x /x\n");

        Proposal proposal = FileAudit.propose(request("."));

        assertThat(proposal.files()).isEmpty();
        assertThat(proposal.refused())
                .hasSize(2)
                .allMatch(sentence -> sentence.contains("a patch cannot carry"))
                .allMatch(sentence -> ShellText.isPlain(sentence.replace("\uFFFD", "")));
        assertThat(proposal.report().findings()).isNotEmpty();
    }

    @Test
    void projects_of_one_directory_and_of_outside_have_proposals_of_their_own() throws Exception {
        for (String directory : List.of("in", "x", "y", "z")) {
            Files.createDirectories(root.resolve(directory));
            Files.writeString(root.resolve(directory).resolve("compose.yaml"), SHOP);
        }
        Files.writeString(root.resolve("in/compose.a.yaml"), SHOP.replace("80:80", "81:81"));
        AuditRequest below = FileRequests.of(root.resolve("in"), ".", "../x", "../y", "../z");

        Proposal proposal = FileAudit.propose(below);

        assertThat(proposal.files().keySet().stream().filter(name -> name.endsWith(".yaml")))
                .hasSize(5);
        proposal.writeTo(root.resolve("out"));
        try (Stream<Path> written = Files.list(root.resolve("out"))) {
            assertThat(written.filter(file -> file.toString().endsWith(".yaml"))
                            .map(FixDirectoryTest::secondLine)
                            .distinct())
                    .as("each is for another project")
                    .hasSize(5);
        }
    }

    private static String secondLine(Path file) {
        try {
            return Files.readAllLines(file).get(1);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void nothing_of_the_user_s_is_followed_or_replaced() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal proposal = FileAudit.propose(request("compose.yaml"));
        Path victim = Files.createDirectory(root.resolve("victim"));
        Path own = Files.writeString(victim.resolve("own"), "own");
        Path out = Files.createDirectory(root.resolve("out"));

        Path link = Files.createSymbolicLink(out.resolve("fixes.patch"), own);
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        Files.delete(link);
        Files.createSymbolicLink(out.resolve("fixes.patch"), victim.resolve("made"));
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        Files.delete(out.resolve("fixes.patch"));
        Files.writeString(out.resolve("compose.override.yaml"), "services: {}\n");
        assertThatThrownBy(() -> proposal.writeTo(out)).hasMessageContaining("is no proposal");
        assertThat(out.resolve("safe.patch")).as("all or nothing").doesNotExist();
        Files.delete(out.resolve("compose.override.yaml"));
        Path linked = Files.createSymbolicLink(root.resolve("linked"), victim);
        assertThatThrownBy(() -> proposal.writeTo(linked)).hasMessageContaining("symbolic link");
        assertThatThrownBy(() -> proposal.writeTo(own)).hasMessageContaining("no directory");

        proposal.writeTo(out);
        proposal.writeTo(out);

        assertThat(own).hasContent("own");
        try (Stream<Path> left = Files.list(out)) {
            assertThat(left.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("safe.patch", "fixes.patch", "compose.override.yaml");
        }
        try (Stream<Path> left = Files.list(victim)) {
            assertThat(left).containsExactly(own);
        }
        assertThat(Files.getPosixFilePermissions(out.resolve("safe.patch")))
                .doesNotContain(java.nio.file.attribute.PosixFilePermission.OWNER_EXECUTE);
    }

    @Test
    void a_link_below_the_directory_is_not_followed() throws Exception {
        Files.createDirectories(root.resolve("shop"));
        Files.writeString(root.resolve("shop/compose.yaml"), SHOP);
        Path victim = Files.createDirectory(root.resolve("victim"));
        Path out = Files.createDirectory(root.resolve("out"));
        Files.createSymbolicLink(out.resolve("shop"), victim);

        assertThatThrownBy(() -> FileAudit.propose(request("shop")).writeTo(out))
                .hasMessageContaining("symbolic link");
        assertThat(victim).isEmptyDirectory();
    }

    /// A change that would break a file is left out, and others are still proposed.
    @Test
    void a_change_that_breaks_a_file_is_not_proposed() throws Exception {
        Files.writeString(root.resolve("Dockerfile"), "FROM a\nADD x /x\n");
        Files.writeString(root.resolve("compose.yaml"), "services: {web: {image: a:1}}\n");
        AuditRequest request = request("Dockerfile", "compose.yaml");
        SourceTree tree = new SourceTree(root);
        Report report = FileAudit.run(request, tree);
        Map<String, Fix> fixes = new TreeMap<>();
        for (Finding finding : report.findings()) {
            switch (finding.check().name()) {
                case "add-for-copy" ->
                    fixes.put(
                            finding.fingerprint(),
                            Fixes.replace(true, tree.read(Path.of("Dockerfile")).place(7, 10), "NONSENSE"));
                case "image-not-pinned" -> {
                    if (finding.subject().name().startsWith("compose")) {
                        fixes.put(
                                finding.fingerprint(),
                                Fixes.replace(
                                        true, tree.read(Path.of("compose.yaml")).place(25, 26), "b"));
                    }
                }
                default -> {}
            }
        }

        Proposal proposal = new Patches(request, tree, report, fixes, List.of()).propose();

        assertThat(proposal.refused()).hasSize(1).first().asString().contains("Dockerfile", "not be understood");
        assertThat(new String(proposal.files().get("fixes.patch").bytes(), StandardCharsets.UTF_8))
                .contains("compose.yaml")
                .doesNotContain("Dockerfile");
    }

    @Test
    void a_second_run_over_the_directory_is_not_about_the_first_ones_proposal() throws Exception {
        Files.writeString(root.resolve("compose.yaml"), SHOP);
        Proposal first = FileAudit.propose(request("."));
        first.writeTo(root.resolve("out"));

        Proposal second = FileAudit.propose(request("."));

        assertThat(second.report().findings()).isEqualTo(first.report().findings());
        assertThat(second.files().keySet()).isEqualTo(first.files().keySet());
    }
}
