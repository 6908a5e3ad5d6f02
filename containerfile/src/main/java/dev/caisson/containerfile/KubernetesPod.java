package dev.caisson.containerfile;

import dev.caisson.containerfile.YamlNode.YamlMap;
import java.util.List;

/// A pod, or the template of one.
/// @param resource the object that holds it
/// @param spec its `spec`
public record KubernetesPod(KubernetesObject resource, YamlMap spec, List<Workload> containers) {}
