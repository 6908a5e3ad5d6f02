package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.ImageConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Files whose answer is easily got wrong, by number; each answer is what the builder, compose or the kernel does.
class DisputedFilesTest {
    private static final String HEX = "63AF7AA15067C05616FDDD88A3A2E8F226F0BC06";

    /// @param findings how many times the check fails
    record Disputed(int number, String check, int findings, String fileName, String text) {
        @Override
        public String toString() {
            return number + " " + check;
        }
    }

    @TempDir
    Path root = Path.of("");

    private static Disputed image(int number, String check, int findings, String text) {
        return new Disputed(number, check, findings, "Dockerfile", text);
    }

    private static Disputed project(int number, String check, int findings, String text) {
        return new Disputed(number, check, findings, "compose.yaml", text);
    }

    static Stream<Disputed> files() {
        return Stream.of(
                // who runs in the end
                image(1, "image-user-root", 1, "FROM a AS build\nUSER app\nFROM debian\n"),
                image(2, "image-user-root", 0, "FROM a AS p\nFROM b AS c\nUSER root\nRUN x\nFROM a\nUSER me\n"),
                image(3, "image-user-root", 0, "FROM a\nFROM b\nUSER u\nUSER root\nRUN x\nFROM c\nUSER u\nCMD x\n"),
                image(4, "image-user-root", 1, "FROM a\nUSER 0\n"),
                image(5, "image-user-root", 1, "FROM a\nUSER 0:0\n"),
                image(6, "image-user-root", 1, "FROM a\nUSER root:root\n"),
                image(7, "image-user-root", 1, "ARG U=root\nFROM a\nARG U\nUSER $U\n"),
                image(8, "image-user-root", 0, "FROM a\nARG U=1000\nUSER ${U:-0}\n"),
                image(9, "image-user-root", 0, "FROM a AS base\nUSER app\nFROM base\nRUN x\n"),
                image(10, "image-user-root", 1, "FROM base:1\nUSER toor\n"),
                image(11, "image-user-root", 0, "FROM base:1\n"),
                image(12, "image-user-root", 1, "FROM a\nUSER app\nUSER 00\n"),
                project(13, "runs-as-root", 1, "services: {web: {build: .}}\n"),
                project(14, "runs-as-root", 1, "services: {web: {image: a, user: '0:1000'}}\n"),
                // health
                image(15, "image-no-healthcheck", 1, "FROM a AS b\nHEALTHCHECK CMD x\nFROM c\n"),
                image(16, "image-no-healthcheck", 1, "FROM a\nHEALTHCHECK NONE\n"),
                image(17, "image-no-healthcheck", 0, "FROM a AS b\nHEALTHCHECK CMD x\nFROM b\n"),
                // which image
                image(18, "base-latest", 1, "FROM registry:5000/img\n"),
                image(19, "base-latest", 0, "FROM node:14 AS d\nFROM d AS build\n"),
                image(20, "base-latest", 2, "FROM r/a AS x\nFROM r/b:latest\nCOPY --from=x /a /a\n"),
                image(21, "base-latest", 0, "FROM --platform=linux/amd64 node:16 AS build\n"),
                image(22, "base-latest", 0, "ARG V=3.20\nFROM alpine:${V}\n"),
                // limits, whatever the version says
                project(23, "memory-unlimited", 1, "services: {web: {image: a}}\n"),
                project(24, "memory-unlimited", 0, "version: '3.8'\nservices: {web: {image: a, mem_limit: 1g}}\n"),
                project(
                        25,
                        "memory-unlimited",
                        0,
                        "services: {web: {image: a, deploy: {resources: {limits: {memory: 1g}}}}}\n"),
                project(26, "memory-unlimited", 1, "version: '2'\nservices: {web: {image: a, mem_reservation: 1g}}\n"),
                project(27, "cpu-unlimited", 1, "services: {web: {image: a, cpu_shares: 1024}}\n"),
                // ADD
                image(28, "add-for-copy", 0, "FROM a\nADD rootfs.tar.xz /\n"),
                image(29, "add-for-copy", 0, "FROM a\nENV ADDRESS=x\nCOPY app.tar.gz /\n"),
                // packages without an exact version are no finding: mirrors drop old ones
                image(30, "update-alone", 0, "FROM a\nRUN apt-get update && D='x=1' && apt-get install -y $D\n"),
                image(31, "package-check-off", 0, "FROM a\nRUN wget https://x/y.deb && apt-get install -y ./y.deb\n"),
                image(32, "package-check-off", 0, "FROM a\nRUN apk add glibc.apk && apk -X https://r add x\n"),
                image(33, "update-alone", 0, "FROM a\nRUN apt-get update && apt-get upgrade -y\n"),
                image(34, "pipe-to-shell", 0, "FROM a AS b\nRUN curl -O https://x\nFROM c\nRUN wget https://y\n"),
                // what is no secret
                image(35, "secret-in-env", 0, "FROM a\nENV WORDPRESS_CLI_GPG_KEY=" + HEX + "\n"),
                image(36, "secret-in-env", 0, "FROM a\nENV KEYCLOAK_ID=x KEYCLOAK_HOME=/opt CC=/usr/bin/clang\n"),
                image(37, "secret-in-command", 0, "FROM a\nRUN apk add libcrypto3=3.1.4-r1 libssl3=3.1.4-r1\n"),
                image(38, "secret-in-command", 0, "FROM a\nRUN echo 'access.log = /proc/self/fd/2' > x.conf\n"),
                image(39, "secret-copied", 0, "FROM a\nCOPY settings.json package.json /app/\n"),
                image(40, "secret-in-arg", 0, "FROM a\nARG PASSWORD_MIN_LENGTH=8\n"),
                // what is decided elsewhere
                project(41, "privileged", 1, "services: {web: {extends: {file: b.yaml, service: s}}}\n"),
                project(42, "privileged", 1, "include: [b.yaml]\nservices: {web: {image: a}}\n"),
                project(43, "privileged", 1, "services: {web: {image: a, profiles: [x], privileged: true}}\n"),
                project(
                        44,
                        "privileged",
                        1,
                        "x-a: &a {privileged: true}\nservices: {web: {<<: *a, image: a}, db: {<<: *a, image: a, privileged: false}}\n"),
                project(45, "env-file-secret", 1, "services: {web: {image: a, env_file: secret.env}}\n"),
                project(46, "host-network", 1, "services: {web: {image: a, network_mode: '${M:-host}'}}\n"),
                project(
                        47,
                        "host-network",
                        2,
                        "services: {a: {image: a, network_mode: host}, b: {image: a, network_mode: 'service:a'}}\n"));
    }

    @ParameterizedTest
    @MethodSource("files")
    void the_answer_is_what_really_happens(Disputed file) throws IOException {
        Files.writeString(root.resolve("Dockerfile"), "FROM a\nUSER root\n");
        Files.writeString(root.resolve("b.yaml"), "services: {s: {image: b, privileged: true}}\n");
        Files.writeString(root.resolve("secret.env"), "API_TOKEN=abcdefgh\n");
        Files.writeString(root.resolve(file.fileName()), file.text());
        BaseImages images = reference -> reference.shortName().equals("base")
                ? Optional.of(new ImageConfig(
                        Optional.empty(),
                        "app",
                        Map.of(),
                        List.of(),
                        List.of(),
                        Optional.empty(),
                        Map.of("root", 0L, "toor", 0L, "app", 1000L)))
                : Optional.empty();

        Report report = FileAudit.run(FileRequests.of(root, images, Severity.HIGH, file.fileName()));

        assertThat(report.findings())
                .as("it was asked")
                .anyMatch(finding -> finding.check().name().equals(file.check()));
        assertThat(report.findings())
                .filteredOn(finding -> finding.check().name().equals(file.check()) && finding.status() != Status.PASS)
                .hasSize(file.findings())
                .allMatch(finding -> finding.status() == Status.FAIL);
    }
}
