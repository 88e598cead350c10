package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.ClusterConfig.Given;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.system.support.Certificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of {@link ClusterConfig}. */
final class ClusterConfigTest {
  private static final String LOCAL = "a 127.0.0.1:4160, b localhost:4161, c [::1]:4162";
  private static final String REMOTE = "a 10.0.0.1:4160,b 10.0.0.2:4160,c 10.0.0.3:4160";

  private static Given given(String nodes, String node, String id, String groups) {
    return new Given(
        nodes == null ? null : List.of(nodes), node, id, groups, null, null, null, null);
  }

  private static String failure(Given given) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ClusterConfig.of(given)).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void readsWhatIsGiven() {
    ClusterConfig config = ClusterConfig.of(given(LOCAL, "b", "900", null));
    assertEquals(
        new ClusterConfig(
            "b",
            900,
            3,
            Map.of(
                "a", new HostPort("127.0.0.1", 4160),
                "b", new HostPort("localhost", 4161),
                "c", new HostPort("::1", 4162)),
            null),
        config);
    assertEquals(List.of("a", "b", "c"), config.names());
    ClusterConfig other =
        ClusterConfig.of(
            new Given(
                List.of("c h:1", "a h:2", "b h:3"),
                "a",
                "0",
                "16",
                true,
                "cert.pem",
                "key.pem",
                "ca.pem"));
    assertEquals(List.of("c", "a", "b"), List.copyOf(other.nodes().keySet()));
    assertEquals(List.of("a", "b", "c"), other.names());
    assertEquals(16, other.groups());
    assertEquals(
        new ClusterConfig.Tls(Path.of("cert.pem"), Path.of("key.pem"), Path.of("ca.pem")),
        other.tls());
  }

  @Test
  void nothingIsNoCluster() {
    assertNull(ClusterConfig.of(given(null, null, null, null)));
    assertNull(ClusterConfig.of(new Given(List.of(), null, null, null, null, null, null, null)));
    assertEquals("cluster_node needs cluster_nodes", failure(given(null, "a", "1", null)));
    assertEquals("cluster_id needs cluster_nodes", failure(given(null, null, "1", null)));
    assertEquals("cluster_groups needs cluster_nodes", failure(given(null, null, null, "3")));
    assertEquals(
        "cluster_tls needs cluster_nodes",
        failure(new Given(null, null, null, null, false, null, null, null)));
    assertEquals(
        "cluster_tls_ca needs cluster_nodes",
        failure(new Given(List.of(), null, null, null, null, null, null, "x")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "a h:1,b h:2,c h:3|-|1|-|cluster_node is needed with cluster_nodes: one of a, b, c",
        "a h:1,b h:2,c h:3|x|1|-|cluster_node \"x\" is not in cluster_nodes: a, b, c",
        "a h:1,b h:2,c h:3|a|-|-|cluster_id is needed with cluster_nodes: 0 to 1023",
        "a h:1,b h:2,c h:3|a|1024|-|cluster_id \"1024\" is not a number from 0 to 1023",
        "a h:1,b h:2,c h:3|a|-1|-|cluster_id \"-1\" is not a number from 0 to 1023",
        "a h:1,b h:2,c h:3|a|99999999999|-|cluster_id \"99999999999\" is not a number from 0 to"
            + " 1023",
        "a h:1,b h:2,c h:3|a|1|0|cluster_groups \"0\" is not a number from 1 to 16",
        "a h:1,b h:2,c h:3|a|1|17|cluster_groups \"17\" is not a number from 1 to 16",
        "a h:1,b h:2,c h:3|a|1|x|cluster_groups \"x\" is not a number from 1 to 16",
        "a h:1,b h:2|a|1|-|cluster_nodes has 2 nodes, not three: a, b",
        "a h:1,b h:2,c h:3,d h:4|a|1|-|cluster_nodes has 4 nodes, not three: a, b, c, d",
        "a h:1,b h:2,a h:3|a|1|-|cluster_nodes has a twice",
        "a h:1,b h:2,c h:1|a|1|-|cluster_nodes has h:1 twice: a, c",
        "a h:1,b H:1,c h:2|a|1|-|cluster_nodes has H:1 twice: a, b",
        "a h:1,b,c h:1|a|1|-|cluster_nodes \"b\" is not NAME HOST:PORT",
        "a h:1,,c h:1|a|1|-|cluster_nodes \"\" is not NAME HOST:PORT",
        "a h:1 x,b h:2,c h:1|a|1|-|cluster_nodes \"a h:1 x\" is not NAME HOST:PORT",
        "A h:1,b h:2,c h:3|a|1|-|cluster_nodes \"A h:1\": a name is 1 to 16 of a-z, 0-9 and -",
        "abcdefghijklmnopq h:1,b h:2,c h:3|a|1|-|cluster_nodes \"abcdefghijklmnopq h:1\": a name is"
            + " 1 to 16 of a-z, 0-9 and -",
        "a h,b h:2,c h:3|a|1|-|cluster_nodes \"a h\": h is not HOST:PORT",
        "a :1,b h:2,c h:3|a|1|-|cluster_nodes \"a :1\": :1 is not HOST:PORT",
        "a h:0,b h:2,c h:3|a|1|-|cluster_nodes \"a h:0\": h:0 is not HOST:PORT",
        "a h:65536,b h:2,c h:3|a|1|-|cluster_nodes \"a h:65536\": h:65536 is not HOST:PORT",
        "a ::1:4160,b h:2,c h:3|a|1|-|cluster_nodes \"a ::1:4160\": ::1:4160 is not HOST:PORT",
        "a h:1,b h:2,c h:3|a|1|-|cluster_tls_cert is needed: cluster_nodes has addresses that are"
            + " not loopback",
      })
  void saysInOneLineWhatIsWrong(
      String nodes, String node, String id, String groups, String message) {
    assertEquals(message, failure(given(nodes, node, id, groups)));
  }

  private static Given tls(String nodes, Boolean tls, String cert, String key, String ca) {
    return new Given(List.of(nodes), "a", "1", null, tls, cert, key, ca);
  }

  @Test
  void tlsIsNeededUnlessAllIsLoopbackOrItIsTurnedOff() {
    assertNull(ClusterConfig.of(tls(LOCAL, null, null, null, null)).tls());
    assertNull(ClusterConfig.of(tls(REMOTE, false, null, null, null)).tls());
    // The default may be said.
    assertNull(ClusterConfig.of(tls(LOCAL, true, null, null, null)).tls());
    assertEquals(
        "cluster_tls_key is needed: certificate, key and authorities go together",
        failure(tls(LOCAL, null, "c", null, "ca")));
    assertEquals(
        "cluster_tls_ca is needed: cluster_nodes has addresses that are not loopback",
        failure(tls(REMOTE, null, "c", "k", "")));
  }

  @Test
  void readsFlagsAndFile(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("holdfast.toml");
    Files.writeString(
        file,
        """
        data_path = "%s"
        cluster_node  = "b"
        cluster_id    = "900"
        cluster_groups = 4
        cluster_nodes = [
          "a 127.0.0.1:4160",
          "b 127.0.0.1:4161",
          "c [::1]:4162",
        ]
        """
            .formatted(dir));
    Options options = options("--config=" + file);
    ClusterConfig config = ClusterConfig.of(options.cluster());
    assertEquals("b", config.node());
    assertEquals(4, config.groups());
    assertEquals(List.of("a", "b", "c"), config.names());
    assertEquals(List.of("a", "b", "c"), config.order());
    assertEquals(false, options.cluster().isInit());
    assertEquals(true, options("--config=" + file, "--cluster-init").cluster().isInit());
    assertNull(ClusterConfig.of(options("--data-path=" + dir).cluster()));

    Files.writeString(file, "cluster_init = true\n");
    assertTrue(fail("--config=" + file).message().contains("cluster_init"));
    assertEquals(
        new Parsed.Fail("holdfast: cluster_node \"x\" is not in cluster_nodes: a, b, c", 1),
        fail("--data-path=" + dir, "--cluster-nodes=" + LOCAL, "--cluster-node=x"));
    assertEquals(
        new Parsed.Fail("holdfast: --cluster-init needs cluster_nodes", 1),
        fail("--data-path=" + dir, "--cluster-init"));
    assertEquals(
        new Parsed.Fail("holdfast: cluster_groups needs cluster_nodes", 1),
        fail("--data-path=" + dir, "--cluster-groups=3"));
  }

  @Test
  void readsNumbersWithAndWithoutQuotes(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("holdfast.toml");
    String nodes = "cluster_nodes = \"" + LOCAL + "\"\ncluster_node = \"a\"\n";
    Files.writeString(file, nodes + "cluster_id = 900\ncluster_groups = \"4\"\n");
    ClusterConfig config = ClusterConfig.of(options("--config=" + file).cluster());
    assertEquals(900, config.clusterId());
    assertEquals(4, config.groups());
    for (String bad : List.of("1024", "-1", "1.5", "true", "\"x\"")) {
      Files.writeString(file, nodes + "cluster_id = " + bad + "\n");
      assertEquals(
          "holdfast: cluster_id \"" + bad.replace("\"", "") + "\" is not a number from 0 to 1023",
          fail("--config=" + file).message());
    }
    Files.writeString(file, nodes + "cluster_id = 1\ncluster_groups = 17\n");
    assertEquals(
        "holdfast: cluster_groups \"17\" is not a number from 1 to 16",
        fail("--config=" + file).message());
    assertEquals(
        "holdfast: cluster_groups \"\" is not a number from 1 to 16",
        fail("--config=" + file, "--cluster-groups=").message());
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "\"\"", "[\"\"]"})
  void anEmptyListIsNoCluster(String list, @TempDir Path dir) throws IOException {
    Path file = dir.resolve("holdfast.toml");
    Files.writeString(file, "cluster_nodes = " + list + "\n");
    assertNull(ClusterConfig.of(options("--config=" + file).cluster()));
    assertNull(ClusterConfig.of(options("--data-path=" + dir, "--cluster-nodes=").cluster()));
  }

  @Test
  void namesTheOptionWhoseFileIsOfNoUse(@TempDir Path dir) throws IOException {
    Certificates made = new Certificates(dir).issue("a").issue("b");
    Path cert = made.file("a.pem");
    Path key = made.file("a.key");
    Path ca = made.file("ca.pem");
    Path text = Files.writeString(dir.resolve("text"), "no PEM");
    Path missing = dir.resolve("missing");
    new ClusterConfig.Tls(cert, key, ca).load();
    assertTlsFails("cluster_tls_cert: cannot read " + missing, missing, key, ca);
    assertTlsFails("cluster_tls_key: cannot read " + missing, cert, missing, ca);
    assertTlsFails("cluster_tls_ca: cannot read " + missing, cert, key, missing);
    assertTlsFails("cluster_tls_cert: no certificate in " + text, text, key, ca);
    assertTlsFails("cluster_tls_key: no private key in " + text, cert, text, ca);
    assertTlsFails("cluster_tls_ca: no certificate in " + text, cert, key, text);
    assertTlsFails("cluster_tls_cert: cannot read " + dir + ": ", dir, key, ca);
    Path others = made.file("b.key");
    assertTlsFails(
        "cluster_tls_key: private key in " + others + " does not match the certificate",
        cert,
        others,
        ca);
  }

  private static void assertTlsFails(String start, Path cert, Path key, Path ca) {
    ClusterConfig.Tls tls = new ClusterConfig.Tls(cert, key, ca);
    String message = assertThrows(IOException.class, tls::load).getMessage();
    assertTrue(message.startsWith(start), message);
    assertEquals(1, message.lines().count(), message);
  }

  private static Options options(String... args) {
    Parsed parsed = ClusterConfig.checked(OptionsLoader.parse(args));
    return assertInstanceOf(Parsed.Run.class, parsed, parsed::toString).options();
  }

  private static Parsed.Fail fail(String... args) {
    return assertInstanceOf(Parsed.Fail.class, ClusterConfig.checked(OptionsLoader.parse(args)));
  }
}
