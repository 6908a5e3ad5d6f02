package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.avaje.jsonb.Jsonb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;

/// A directory of container files for which something is proposed; patches are applied by `patch(1)`, and what
/// Debian's `docker-compose` makes of the result is compared.
abstract class FixFiles {
    static final String SHOP = """
            # the shop
            x-log: &log   # one for all
              driver: json-file
            services:
              web:        # what the world sees
                # caisson: allow image-not-pinned the mirror has no digests until 2030-01-01
                image: nginx:1.27   # not alpine
                ports:
                  # the only open port
                  - "80:80"   # http
                  - 127.0.0.1:9090:9090
                privileged: true   # for the old driver
                logging: *log
                volumes:
                  - ./conf:/etc/nginx/conf.d:ro
                  - /var/run/docker.sock:/var/run/docker.sock   # monitor
                restart: always
                security_opt: [seccomp=unconfined, "no-new-privileges:false"]
              # the data
              db:
                image: "postgres:17"
                environment: {POSTGRES_DB: shop}
                network_mode: host
                cap_add:
                - SYS_ADMIN
                deploy: {resources: {limits: {cpus: "2"}}}
                tmpfs: /run/x:size=8m
                logging: *log
                command: |
                  postgres
                  -c shared_buffers=64MB
            """;
    static final String POD = """
            # two
            apiVersion: v1
            kind: Service
            metadata: {name: s}
            spec: {type: ClusterIP}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: d
            spec:
              selector: {matchLabels: {a: b}}
              template:
                metadata: {labels: {a: b}}
                spec:
                  hostPID: true # debugging
                  containers:
                  - name: c      # the program
                    image: a:1
                    securityContext:
                      privileged: true
                      capabilities:
                        add: [SYS_ADMIN]
                  - {name: e, image: b:1}
                  volumes: []
            """;

    @TempDir
    Path root = Path.of("");

    AuditRequest request(String... names) {
        return FileRequests.of(root, names);
    }

    static List<String> failed(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.FAIL)
                .map(finding -> finding.subject() + " " + finding.check().name())
                .toList();
    }

    String run(String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(root, "out", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(root.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String text = Files.readString(out);
        Files.delete(out);
        assertThat(process.exitValue())
                .as(String.join(" ", command) + "\n" + text)
                .isZero();
        return text;
    }

    /// The project as compose sees it: a value for each path.
    Map<String, String> model(String... files) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker-compose"));
        for (String file : files) {
            command.addAll(List.of("-f", file));
        }
        command.addAll(List.of("config", "--format", "json"));
        Map<String, String> flat = new TreeMap<>();
        flatten("", Jsonb.instance().type(Object.class).fromJson(run(command.toArray(String[]::new))), flat);
        return flat;
    }

    private static void flatten(String path, @Nullable Object node, Map<String, String> flat) {
        switch (node) {
            case Map<?, ?> map -> map.forEach((key, value) -> flatten(path + "/" + key, value, flat));
            case List<?> list -> list.forEach(item -> flat.merge(path, String.valueOf(item), (a, b) -> a + " " + b));
            case null -> flat.put(path, "null");
            default -> flat.put(path, node.toString());
        }
    }

    static Set<String> changed(Map<String, String> before, Map<String, String> after) {
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(after.keySet());
        return keys.stream()
                .filter(key -> key.startsWith("/services/"))
                .filter(key -> !before.getOrDefault(key, "").equals(after.getOrDefault(key, "")))
                .map(key -> Stream.of(key.split("/")).skip(2).limit(2).collect(Collectors.joining(" ")))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    void assume(String command) {
        assumeThat(Stream.of(System.getenv("PATH").split(":"))
                        .anyMatch(dir -> Files.isExecutable(Path.of(dir, command))))
                .as(command + " is installed")
                .isTrue();
    }

    static List<String> unknown(Report report) {
        return report.findings().stream()
                .filter(finding -> finding.status() == Status.NOT_EVALUATED)
                .map(finding -> finding.subject() + " " + finding.check().name())
                .toList();
    }
}
