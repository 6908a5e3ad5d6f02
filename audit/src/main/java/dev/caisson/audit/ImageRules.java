package dev.caisson.audit;

import dev.caisson.containerfile.ImageReference;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import java.util.List;
import java.util.Optional;

/// Rules on the image that a container is made from. An image that compose builds itself is judged by its Dockerfile.
final class ImageRules {
    static final List<Rule<Workload>> ALL =
            List.of(Rule.of("image-not-pinned", ImageRules::pinned), Rule.of("image-latest", ImageRules::latest));

    private ImageRules() {}

    private static List<Verdict> pinned(Workload workload) {
        return pulled(workload)
                .filter(image ->
                        reference(image).filter(found -> !found.pinned()).isPresent())
                .map(image -> Verdict.fail(image.place(), image.value() + " is not pinned by digest"))
                .stream()
                .toList();
    }

    private static List<Verdict> latest(Workload workload) {
        return pulled(workload)
                .filter(image -> reference(image).filter(ImageReference::latest).isPresent())
                .map(image -> Verdict.fail(image.place(), "the version of " + image.value() + " is left open"))
                .stream()
                .toList();
    }

    private static Optional<Setting<String>> pulled(Workload workload) {
        boolean built = workload.origin() instanceof WorkloadOrigin.Compose origin
                && origin.service().body().get("build").isPresent();
        return built ? Optional.empty() : workload.image();
    }

    private static Optional<ImageReference> reference(Setting<String> image) {
        return ImageReference.parse(image.value());
    }
}
