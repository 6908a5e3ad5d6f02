package dev.caisson.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.validation.SchemaFactory;
import javax.xml.validation.Validator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/// Reports against the schemas that their readers go by.
class ReportSchemasTest {
    @TempDir
    Path root = Path.of("");

    private Report report = new Report("", LocalDate.EPOCH, List.of(), Severity.HIGH, List.of(), List.of());

    @BeforeEach
    void audit() throws IOException {
        report = SampleReport.of(root);
    }

    private static List<String> violations(String schema, SpecificationVersion version, String json) {
        Schema compiled = SchemaRegistry.withDefaultDialect(version).getSchema(schema, InputFormat.JSON);
        return compiled.validate(json, InputFormat.JSON).stream()
                .map(Error::toString)
                .toList();
    }

    private static String ownSchema() throws IOException {
        return Files.readString(Path.of(System.getProperty("caisson.root"), "docs/audit-report.schema.json"));
    }

    private static String sarifSchema() throws IOException {
        try (InputStream in = ReportSchemasTest.class.getResourceAsStream("/schema/sarif-schema-2.1.0.json")) {
            assertThat(in).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void json_follows_the_schema_in_docs() throws IOException {
        String json = ReportFormat.JSON.write(report);

        assertThat(violations(ownSchema(), SpecificationVersion.DRAFT_2020_12, json))
                .isEmpty();
        assertThat(json)
                .contains("\"agreement\": \"contradiction\"", "\"status\": \"waived\"", "\"status\": \"not-evaluated\"")
                .contains("\"truth\": null", "\"known\": true", "\"gone\"");
    }

    @Test
    void every_field_that_a_finding_must_have_is_missed() throws IOException {
        String json = ReportFormat.JSON.write(report);

        for (String field : List.of(
                "check",
                "cis",
                "subject",
                "status",
                "severity",
                "claim",
                "truth",
                "agreement",
                "evidence",
                "remediation")) {
            assertThat(violations(
                            ownSchema(),
                            SpecificationVersion.DRAFT_2020_12,
                            json.replaceFirst("\"" + field + "\":", "\"x\":")))
                    .as(field)
                    .isNotEmpty();
        }
        assertThat(violations(
                        ownSchema(), SpecificationVersion.DRAFT_2020_12, json.replace("caisson-audit-1", "other")))
                .isNotEmpty();
    }

    @Test
    void sarif_follows_the_published_schema() throws IOException {
        String sarif = ReportFormat.SARIF.write(report);

        assertThat(violations(sarifSchema(), SpecificationVersion.DRAFT_7, sarif))
                .isEmpty();
        assertThat(violations(sarifSchema(), SpecificationVersion.DRAFT_7, sarif.replace("\"text\":", "\"txt\":")))
                .as("the schema can refuse")
                .isNotEmpty();
        assertThat(sarif)
                .contains("a%20b%23c%25/Dockerfile", "\"suppressions\"", "\"partialFingerprints\"", "logicalLocations");
    }

    @Test
    void junit_follows_the_schema_of_surefire() throws Exception {
        String xml = ReportFormat.JUNIT.write(report);
        Validator validator = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI)
                .newSchema(Path.of("target/schemas/surefire-test-report.xsd").toFile())
                .newValidator();
        DocumentBuilderFactory documents = DocumentBuilderFactory.newInstance();
        documents.setNamespaceAware(true);
        NodeList suites = documents
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(xml)))
                .getElementsByTagName("testsuite");

        assertThat(suites.getLength()).isGreaterThan(3);
        for (int at = 0; at < suites.getLength(); at++) {
            Element suite = (Element) suites.item(at);
            validator.validate(new DOMSource(suite));
            assertThat(suite.getElementsByTagName("testcase").getLength())
                    .isEqualTo(Integer.parseInt(suite.getAttribute("tests")));
        }
        Element broken = (Element) suites.item(0);
        broken.removeAttribute("tests");
        assertThatThrownBy(() -> validator.validate(new DOMSource(broken))).isInstanceOf(SAXException.class);
    }
}
