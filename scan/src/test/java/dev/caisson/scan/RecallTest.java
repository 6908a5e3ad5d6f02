package dev.caisson.scan;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A corpus with labels: secrets of many kinds, made from seeds, in each of the forms in which they leak.
class RecallTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    /// Kinds by the name under which such a value is usually written.
    private static final Map<String, String> KINDS = new LinkedHashMap<>();

    static {
        KINDS.put("AWS_ACCESS_KEY_ID", "AKIAQ{u15}");
        KINDS.put("AWS_SECRET_ACCESS_KEY", "{b40}");
        KINDS.put("AMZN_MWS_KEY", "amzn.mws.{h8}-{h4}-{h4}-{h4}-{h12}");
        KINDS.put("GOOGLE_API_KEY", "AIza{s35}");
        KINDS.put("GOOGLE_CLIENT_SECRET", "GOCSPX-{s28}");
        KINDS.put("GOOGLE_OAUTH_TOKEN", "ya29.{s120}");
        KINDS.put("AZURE_CLIENT_SECRET", "{w3}8Q~{w34}");
        KINDS.put("AZURE_DEVOPS_TOKEN", "{w76}AZDO{w4}");
        KINDS.put("ALIBABA_KEY_ID", "LTAI{w20}");
        KINDS.put("DIGITALOCEAN_TOKEN", "dop_v1_{h64}");
        KINDS.put("HEROKU_API_KEY", "HRKU-AA{s58}");
        KINDS.put("FLY_API_TOKEN", "fm2_{b200}");
        KINDS.put("CLOUDFLARE_ORIGIN_KEY", "v1.0-{h24}-{h146}");
        KINDS.put("PLANETSCALE_TOKEN", "pscale_tkn_{w43}");
        KINDS.put("SUPABASE_TOKEN", "sbp_{h40}");
        KINDS.put("NETLIFY_TOKEN", "nfp_{w36}");
        KINDS.put("GITHUB_TOKEN", "ghp_{w30}{crc}");
        KINDS.put("GITHUB_APP_TOKEN", "ghs_{w30}{crc}");
        KINDS.put("GITHUB_PAT", "github_pat_{w22}_{w59}");
        KINDS.put("GITLAB_TOKEN", "glpat-{s20}");
        KINDS.put("GITLAB_RUNNER_TOKEN", "glrt-{s20}");
        KINDS.put("BITBUCKET_TOKEN", "ATBB{w24}{H8}");
        KINDS.put("ATLASSIAN_TOKEN", "ATATT3xFfGF0{s180}");
        KINDS.put("NPM_TOKEN", "npm_{w30}{crc}");
        KINDS.put("PYPI_TOKEN", "pypi-AgEIcHlwaS5vcmc{s120}");
        KINDS.put("RUBYGEMS_API_KEY", "rubygems_{h48}");
        KINDS.put("CARGO_REGISTRY_TOKEN", "cio{w32}");
        KINDS.put("NUGET_API_KEY", "oy2{l43}");
        KINDS.put("CLOJARS_TOKEN", "CLOJARS_{h60}");
        KINDS.put("DOCKERHUB_TOKEN", "dckr_pat_{s27}");
        KINDS.put("ARTIFACTORY_API_KEY", "AKCp{w69}");
        KINDS.put("SONAR_TOKEN", "squ_{h40}");
        KINDS.put("BUILDKITE_TOKEN", "bkua_{h40}");
        KINDS.put("PULUMI_ACCESS_TOKEN", "pul-{h40}");
        KINDS.put("TF_TOKEN", "{w14}.atlasv1.{s67}");
        KINDS.put("VAULT_TOKEN", "hvs.{s95}");
        KINDS.put("DOPPLER_TOKEN", "dp.pt.{w43}");
        KINDS.put("POSTMAN_API_KEY", "PMAK-{h24}-{h34}");
        KINDS.put("README_API_KEY", "rdme_{l70}");
        KINDS.put("PREFECT_API_KEY", "pnu_{w36}");
        KINDS.put("SLACK_BOT_TOKEN", "xoxb-{d12}-{d12}-{w24}");
        KINDS.put("SLACK_USER_TOKEN", "xoxp-{d12}-{d12}-{d12}-{h32}");
        KINDS.put("SLACK_APP_TOKEN", "xapp-1-A{U10}-{d13}-{h64}");
        KINDS.put("SLACK_WEBHOOK", "https://hooks.slack.com/services/T{U8}/B{U8}/{w24}");
        KINDS.put("DISCORD_WEBHOOK", "https://discord.com/api/webhooks/{d18}/{s68}");
        KINDS.put("TELEGRAM_TOKEN", "{d10}:AA{s33}");
        KINDS.put("SENDGRID_API_KEY", "SG.{s22}.{s43}");
        KINDS.put("STRIPE_KEY", "sk_live_{w24}");
        KINDS.put("SHOPIFY_TOKEN", "shpat_{h32}");
        KINDS.put("DUFFEL_TOKEN", "duffel_live_{s43}");
        KINDS.put("CONTENTFUL_TOKEN", "CFPAT-{s43}");
        KINDS.put("DROPBOX_TOKEN", "sl.{s140}");
        KINDS.put("ONEPASSWORD_TOKEN", "ops_eyJ{b300}");
        KINDS.put("AGE_KEY", "AGE-SECRET-KEY-1{A58}");
        KINDS.put("SIGNING_KEY", "{pem}");
        KINDS.put("SSH_KEY", "{pem-openssh}");
        KINDS.put("SESSION_TOKEN", "{jwt}");
        KINDS.put("DATABASE_URL", "postgres://app:{w20}@db.corp:5432/app");
        KINDS.put("AMQP_URL", "amqp://app:{w16}@mq.corp/");
        KINDS.put("AZURE_STORAGE", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={b86}==");
        KINDS.put("DB_PASSWORD", "{w24}");
        KINDS.put("CLIENT_SECRET", "{s40}");
        KINDS.put("ENCRYPTION_KEY", "{h64}");
    }

    static Map<String, String> kinds() {
        return Map.copyOf(KINDS);
    }

    /// Kinds that nothing but the name gives away, and forms that leave the name away.
    private static boolean isNameless(String kind, String form) {
        return List.of("AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "CLIENT_SECRET", "ENCRYPTION_KEY")
                        .contains(kind)
                && List.of(
                                "plain.txt",
                                "prose.md",
                                "secret.yaml",
                                "base64.txt",
                                "twice.txt",
                                "hex.txt",
                                "percent.txt",
                                "escaped.c",
                                "unicode.json")
                        .contains(form);
    }

    @Test
    void ninety_eight_of_a_hundred_secrets_are_found_whatever_their_kind_and_form() {
        var scanner = new LeakScanner(RuleSet.own(), NOW);
        assertThat(KINDS).hasSizeGreaterThanOrEqualTo(60);
        assertThat(Forms.all()).hasSizeGreaterThanOrEqualTo(40);
        List<String> missed = new ArrayList<>();
        int[] count = new int[1];
        Forms.all()
                .forEach((form, written) -> KINDS.forEach((kind, template) -> {
                    if (!isNameless(kind, form)) {
                        String value = new Samples(form.hashCode() + kind.hashCode()).fill(template);
                        var found = new Collected();
                        scanner.scan(form, new ByteArrayInputStream(written.of(kind, value)), found);
                        count[0]++;
                        if (found.leaks.isEmpty()) {
                            missed.add(form + " " + kind);
                        }
                    }
                }));
        assertThat(missed).as("of " + count[0]).hasSizeLessThanOrEqualTo(count[0] / 50);
    }
}
