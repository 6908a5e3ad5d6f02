package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.containerfile.SourceTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Container files as people wrote them: those in packages of Debian, Maven Central and npm. Each is understood, or is
/// refused because the builder, compose or the cluster refuses it too.
@Tag("peers")
class RealFilesTest {
    private static final Path HOME = Path.of("target/real-files");
    /// Files that must be refused, by the end of their path.
    private static final List<String> NO_CONTAINER_FILES = List.of(
            // tests of refusal: no FROM, no value, an unknown instruction, a cycle, a file that is not there
            ".*/testfiles-negative/.*",
            ".*/testfiles/(?:jeztah-invalid-json-.*|json|health|escape-nonewline)/Dockerfile",
            ".*/testdata/Dockerfile\\.(?:badhealthcheck|unknown)",
            ".*/testdata/(?:compose-include-cycle|remote/.*/compose(?:-cycle)?)\\.yaml",
            ".*/test/examples/Dockerfile\\.misc",
            // templates of Helm, and a list of Ansible's tasks that has compose's name
            ".*/templates/.*\\.yaml",
            ".*/roles/local_docker/tasks/compose\\.yml");

    /// @param kind where the package comes from: `debian`, `maven` or `npm`
    /// @param least how many container files it has at least
    record Bundle(String kind, String name, int least) {
        @Override
        public String toString() {
            return kind + " " + name;
        }

        Path directory() {
            return HOME.resolve(kind + "-" + name.replaceAll("[^A-Za-z0-9.-]", "-"));
        }

        List<String> fetch() {
            return switch (kind) {
                case "debian" ->
                    List.of("sh", "-c", "apt-get download -qq " + name + " && dpkg-deb -x *.deb . && rm *.deb");
                case "maven" ->
                    List.of(
                            "sh",
                            "-c",
                            "mvn -q -f " + System.getProperty("caisson.root") + " -N dependency:copy -Dartifact=" + name
                                    + " -DoutputDirectory=$PWD && " + System.getProperty("java.home")
                                    + "/bin/jar xf *.zip && rm *.zip");
                default -> List.of("sh", "-c", "npm pack --silent " + name + " && tar xzf *.tgz && rm *.tgz");
            };
        }
    }

    static Stream<Bundle> bundles() {
        return Stream.of(
                new Bundle("debian", "golang-github-openshift-imagebuilder-dev", 100),
                new Bundle("debian", "golang-github-containers-buildah-dev", 80),
                new Bundle("debian", "golang-github-docker-docker-dev", 40),
                new Bundle("debian", "golang-github-compose-spec-compose-go-dev", 25),
                new Bundle("debian", "podman-compose", 10),
                new Bundle("debian", "golang-k8s-kubectl-dev", 20),
                new Bundle("debian", "golang-k8s-api-dev", 400),
                new Bundle("debian", "golang-k8s-sigs-kustomize-api-dev", 5),
                new Bundle("debian", "golang-k8s-cli-runtime-dev", 5),
                new Bundle("npm", "dockerfilelint@1.8.0", 20),
                new Bundle("npm", "mongo-express@1.0.2", 1),
                new Bundle("maven", "org.apache.james:james-project:3.8.1:zip:source-release", 30));
    }

    @ParameterizedTest
    @MethodSource("bundles")
    void every_file_is_understood_or_rightly_refused(Bundle bundle) throws Exception {
        String client = switch (bundle.kind()) {
            case "debian" -> "apt-get";
            case "maven" -> "mvn";
            default -> "npm";
        };
        assumeThat(Stream.of(System.getenv("PATH").split(":")).map(dir -> Path.of(dir, client)))
                .as(client + " is installed")
                .anyMatch(Files::isExecutable);
        Path directory = bundle.directory();
        if (!Files.exists(directory)) {
            fetch(bundle, directory);
        }

        Map<FileDiscovery.Kind, Integer> counts = new EnumMap<>(FileDiscovery.Kind.class);
        FileDiscovery.directory(directory.toAbsolutePath(), new SourceTree(directory), (closed, why) -> {
                    throw new java.io.UncheckedIOException(why);
                })
                .forEach(found -> counts.merge(found.kind(), 1, Integer::sum));
        Report report = FileAudit.run(FileRequests.of(directory, "."));

        List<String> refused = report.findings().stream()
                .filter(finding -> finding.check().name().equals("file-not-understood"))
                .map(finding -> finding.subject().name() + ": " + finding.message())
                .toList();
        Files.writeString(
                HOME.resolve(directory.getFileName() + ".txt"),
                "%s: %s, %d rightly refused%n".formatted(bundle, counts, refused.size()));
        assertThat(counts.values().stream().mapToInt(Integer::intValue).sum()).isGreaterThanOrEqualTo(bundle.least());
        assertThat(refused)
                .allMatch(name -> NO_CONTAINER_FILES.stream()
                        .anyMatch(pattern -> ("/" + name.substring(0, name.indexOf(": "))).matches(pattern)));
    }

    private static void fetch(Bundle bundle, Path directory) throws IOException, InterruptedException {
        Path partly = Files.createDirectories(directory.resolveSibling("partly"));
        Path log = directory.resolveSibling("fetch.log");
        Process process = new ProcessBuilder(bundle.fetch())
                .directory(partly.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(log)).isZero();
        Files.move(partly, directory);
    }
}
