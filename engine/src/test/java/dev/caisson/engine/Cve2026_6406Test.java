package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// CVE-2026-6406 and CVE-2024-23653: a policy that looked at one spelling or one way in, while another was open.
/// Here one class turns wishes into approved ones, and planning takes nothing else.
class Cve2026_6406Test {
    @Test
    void only_the_policy_makes_approved_wishes_and_only_they_are_planned() throws Exception {
        var makers = new ArrayList<String>();
        var planners = new ArrayList<String>();
        Path root = Path.of(System.getProperty("caisson.root", ".."));
        for (String room : List.of("launch", "engine", "cli")) {
            for (Path file : sources(room)) {
                String text = Files.readString(file);
                if (text.contains("new Approved(")) {
                    makers.add(root.relativize(file).toString());
                }
                if (text.contains("new LaunchPlan(")) {
                    planners.add(file.getFileName().toString());
                }
            }
        }

        assertThat(makers).containsExactly("launch/src/main/java/dev/caisson/launch/Policy.java");
        // PlanRecord reads back what was planned and launched, for verify; LaunchPlan leaves the program of a plan out;
        // FilesPlan takes some steps of a container's plan, and adds none that reaches more of the host;
        // Relinking exchanges the links, names and settings of networks in a plan, and leaves all else as approved.
        assertThat(planners)
                .containsExactlyInAnyOrder(
                        "Planner.java", "PlanRecord.java", "LaunchPlan.java", "FilesPlan.java", "Relinking.java");
    }

    private static List<Path> sources(String room) throws IOException {
        Path root = Path.of(System.getProperty("caisson.root", ".."));
        try (Stream<Path> files = Files.walk(root.resolve(room).resolve("src/main/java"))) {
            return files.filter(path -> path.toString().endsWith(".java")).toList();
        }
    }
}
