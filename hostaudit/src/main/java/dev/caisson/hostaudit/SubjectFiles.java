package dev.caisson.hostaudit;

import dev.caisson.audit.Evidence;
import dev.caisson.audit.FileOrigins;
import dev.caisson.audit.Finding;
import dev.caisson.audit.Status;
import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.checks.Answer;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.Facts;
import dev.caisson.hostaudit.facts.ImageFacts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Lines of container files that containers and images of a host come from, for what was found wrong with them.
final class SubjectFiles {
    private final FileOrigins origins;
    private final Map<Subject, List<ContainerFacts>> containers = new HashMap<>();
    private final Map<Subject, List<ImageFacts>> images = new HashMap<>();
    private final Map<String, List<ImageFacts>> imagesById = new HashMap<>();

    SubjectFiles(Facts facts, FileOrigins origins) {
        this.origins = origins;
        for (Facts.View view : facts.views()) {
            view.facts()
                    .containers()
                    .forEach(container -> add(containers, view.subject(Answer.subject(container)), container));
            view.facts().images().forEach(image -> {
                add(images, view.subject(Answer.subject(image)), image);
                add(imagesById, image.id(), image);
            });
        }
    }

    private static <K, V> void add(Map<K, List<V>> all, K key, V value) {
        all.computeIfAbsent(key, each -> new ArrayList<>()).add(value);
    }

    List<Evidence> of(Finding finding) {
        if (finding.status() == Status.PASS || finding.status() == Status.NOT_APPLICABLE) {
            return List.of();
        }
        List<Evidence> lines = new ArrayList<>();
        for (ContainerFacts container : containers.getOrDefault(finding.subject(), List.of())) {
            lines.addAll(origins.ofContainer(container.claims().labels(), finding.check()));
            imagesById
                    .getOrDefault(container.imageId(), List.of())
                    .forEach(image -> lines.addAll(ofImage(image, finding)));
        }
        images.getOrDefault(finding.subject(), List.of()).forEach(image -> lines.addAll(ofImage(image, finding)));
        return lines;
    }

    private List<Evidence> ofImage(ImageFacts image, Finding finding) {
        List<String> history =
                image.history().stream().map(ImageFacts.Step::command).toList();
        return origins.ofImage(history, finding.check());
    }
}
