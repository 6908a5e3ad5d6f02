package dev.caisson.cli.audit;

import dev.caisson.audit.ReportFormat;
import dev.caisson.audit.Severity;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// The words that options of `caisson audit` and `caisson scan` take; a wrong one is answered with
/// those that are right.
final class AuditWords {
    private AuditWords() {}

    /// A format of reports.
    static final class Format implements ITypeConverter<ReportFormat> {
        @Override
        public ReportFormat convert(String word) {
            return Stream.of(ReportFormat.values())
                    .filter(format -> format.toString().equalsIgnoreCase(word))
                    .findFirst()
                    .orElseThrow(() -> wrong(
                            word,
                            Stream.of(ReportFormat.values())
                                    .map(ReportFormat::toString)
                                    .toList()));
        }
    }

    /// A severity.
    static final class Threshold implements ITypeConverter<Severity> {
        @Override
        public Severity convert(String word) {
            return Severity.of(word)
                    .orElseThrow(() -> wrong(
                            word,
                            Stream.of(Severity.values()).map(Severity::word).toList()));
        }
    }

    /// Reads the word that says when a scan opens the store of secrets.
    static final class Stored implements ITypeConverter<ScanStore.Use> {
        @Override
        public ScanStore.Use convert(String word) {
            return Stream.of(ScanStore.Use.values())
                    .filter(use -> use.name().equalsIgnoreCase(word))
                    .findFirst()
                    .orElseThrow(() -> wrong(word, List.of("auto", "yes", "no")));
        }
    }

    private static TypeConversionException wrong(String word, List<String> right) {
        return new TypeConversionException(
                "it is one of " + right.stream().collect(Collectors.joining(", ")) + ", and not '" + word + "'");
    }
}
