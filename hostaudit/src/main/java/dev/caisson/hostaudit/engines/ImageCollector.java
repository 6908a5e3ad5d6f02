package dev.caisson.hostaudit.engines;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.ImageFacts;
import dev.caisson.hostaudit.facts.ImageFacts.Content;
import dev.caisson.hostaudit.facts.ImageFacts.Step;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.secrets.Variables;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/// Gathers images: their configuration and history from the API, their content from the layers on disk.
public final class ImageCollector {
    private final EngineApi api;
    private final ImageLayers layers;
    private final BiConsumer<String, AuditException> untold;

    /// @param untold takes what the engine cannot tell of, and why
    public ImageCollector(EngineApi api, ImageLayers layers, BiConsumer<String, AuditException> untold) {
        this.api = api;
        this.layers = layers;
        this.untold = untold;
    }

    /// Collects the facts of images.
    ///
    /// @param users number of containers of each image, by id
    /// @param wanted ids of the images to look at; all if it is empty
    public List<ImageFacts> collect(Map<String, Integer> users, List<String> wanted) {
        var all = new ArrayList<ImageFacts>();
        for (Tree listed : api.list("/images/json", why -> untold.accept("images", why))) {
            String id = listed.at("Id").textOr("");
            if (!EngineFacts.isImageId(id)) {
                untold.accept("image " + listed.at("RepoTags").texts(), EngineFacts.noId(id));
                continue;
            }
            if (!wanted.isEmpty() && !wanted.contains(id)) {
                continue;
            }
            try {
                api.find("/images/" + id + "/json")
                        .ifPresent(image -> all.add(image(id, image, listed, users.getOrDefault(id, 0))));
            } catch (AuditException e) {
                untold.accept("image " + id, e);
            }
        }
        all.sort(Comparator.comparing(ImageFacts::label).thenComparing(ImageFacts::id));
        return List.copyOf(all);
    }

    private ImageFacts image(String id, Tree image, Tree listed, int users) {
        Tree config = image.at("Config");
        List<Step> history = api.find("/images/" + id + "/history").orElse(Tree.NONE).list().stream()
                .map(step -> new Step(
                        Variables.text(step.at("CreatedBy").textOr("")),
                        Variables.text(step.at("Comment").textOr("")),
                        step.at("Created").number(0),
                        step.at("Size").number(0)))
                .toList()
                .reversed();
        ImageLayers.Reading reading = layers.read(
                image.at("RootFS", "Layers").texts(), config.at("User").textOr(""));
        Optional<Content> content = reading.content();
        return new ImageFacts(
                id,
                image.at("RepoTags").texts().stream().sorted().toList(),
                image.at("RepoDigests").texts().stream().sorted().toList(),
                seconds(image.at("Created").textOr(""))
                        .orElse(listed.at("Created").number(0)),
                config.at("User").textOr(""),
                Variables.arguments(config.at("Healthcheck", "Test").texts()),
                Variables.withoutSecrets(config.at("Env").texts()),
                Variables.withoutSecrets(config.at("Labels").textMap()),
                List.copyOf(config.at("ExposedPorts").map().keySet().stream()
                        .sorted()
                        .toList()),
                history,
                image.at("Size").number(0),
                users,
                content,
                reading.reason());
    }

    public static Optional<Long> seconds(String time) {
        try {
            return time.isEmpty()
                    ? Optional.empty()
                    : Optional.of(Instant.parse(time).getEpochSecond());
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }
}
