package dev.caisson.audit;

import dev.caisson.containerfile.BaseImages;
import dev.caisson.containerfile.Source;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Selects what is audited, and how.
/// @param root the directory from which files are named in results
/// @param inputs files and directories
/// @param standardInput a text to be audited as a file, whose kind is told by its content
/// @param environment values of variables in compose files
/// @param images base images that are present
/// @param today the day by which waivers are judged
/// @param failOn the severity from which an open finding makes the run fail
/// @param waivers a file of waivers
/// @param baseline a JSON report whose findings are known
public record AuditRequest(
        Path root,
        List<Path> inputs,
        Optional<Source> standardInput,
        Map<String, String> environment,
        BaseImages images,
        LocalDate today,
        Severity failOn,
        Optional<Path> waivers,
        Optional<Path> baseline) {}
