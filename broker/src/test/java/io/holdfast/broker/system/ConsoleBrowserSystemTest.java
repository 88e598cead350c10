package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Browser;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The console in Chromium: what its pages show, and what they do. */
class ConsoleBrowserSystemTest {
  private static final String MARKUP = "<img src=x onerror=window.hit=1>";

  private static BrokerProcess broker;
  private static Browser browser;

  @BeforeAll
  static void start() {
    Reference.holdfastOnly("nsqd has no console");
    browser = Browser.open();
    broker = BrokerProcess.started();
    broker.http().post("/channel/create?topic=t&channel=c");
    broker.http().post("/topic/create?topic=orders").expect(200, "");
    broker.http().post("/channel/create?topic=orders&channel=billing").expect(200, "");
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 137; i++) {
      many.append("{\"total\":12345678901234567890}\n");
    }
    broker.http().post("/mpub?topic=orders", many.toString()).expect(200, "OK");
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    if (broker != null) {
      broker.close();
    }
  }

  private static void go(String target) {
    browser.go("http://127.0.0.1:" + broker.httpPort() + target);
  }

  /** Whatever a page did: nothing was thrown, nothing forbidden, nothing asked elsewhere. */
  @AfterEach
  void shouldHaveBehaved() {
    assertTrue(browser.complaints().isEmpty(), browser.complaints()::toString);
    String own = "http://127.0.0.1:" + broker.httpPort() + "/";
    assertTrue(
        browser.requests().stream().allMatch(url -> url.startsWith(own)),
        browser.requests()::toString);
    assertFalse(browser.value("window.hit === 1").asBoolean());
  }

  private static void awaitFigure(String id, String text) {
    browser.await("document.getElementById('figure-" + id + "')?.textContent === '" + text + "'");
  }

  private static String depth() {
    return broker.http().get("/history?n=0").json().path("now").path("depth").asText();
  }

  @Test
  void shouldShowTheBrokerAsAWhole() {
    go("/");
    browser.awaitText("The broker is well");
    browser.awaitText("billing");
    awaitFigure("depth", depth());
    broker.http().post("/mpub?topic=more", "x\n".repeat(1000)).expect(200, "OK");
    broker.http().awaitTopic("more", topic -> topic.path("depth").asInt() == 1000);
    browser.await("Number(document.getElementById('figure-depth').textContent) >= 1137");
    awaitFigure("depth", depth());
    browser.await("document.querySelectorAll('svg path.line').length >= 6");
  }

  @Test
  void shouldShowTopicsChannelsAndConnections() {
    String agent = "{\"client_id\":\"" + MARKUP + "\",\"user_agent\":\"" + MARKUP + "\"}";
    try (RawNsqConnection conn = broker.connect()) {
      conn.identify(agent);
      conn.line("SUB orders billing").expectOk();
      go("/console/topics");
      browser.awaitText("orders");
      browser.value("document.querySelector('input[type=search]').focus()");
      browser.type("input[type=search]", "no such");
      browser.awaitText("Nothing matches the filter.");
      go("/console/topic?topic=orders");
      awaitFigure("waiting", "137");
      browser.awaitText("billing");
      go("/console/channel?topic=orders&channel=billing");
      awaitFigure("depth", "137");
      browser.awaitText(MARKUP);
      go("/console/connections");
      browser.awaitText(MARKUP);
    }
    browser.awaitText("No consumers are connected.");
  }

  @Test
  void shouldShowMessages() {
    broker.http().post("/topic/create?topic=looked.at").expect(200, "");
    broker.http().post("/pub?topic=looked.at", MARKUP).expect(200, "OK");
    broker.http().post("/pub?topic=looked.at", "{\"n\":12345678901234567890}").expect(200, "OK");
    broker.http().post("/pub?topic=looked.at", "\u00ff\u0000").expect(200, "OK");
    go("/console/topic?topic=looked.at");
    browser.press("Look");
    browser.awaitText(MARKUP);
    browser.value("document.querySelectorAll('details.message').forEach(d => d.open = true)");
    browser.awaitText("n: 12345678901234567890");
    browser.awaitText("00000000  ff 00");
    awaitFigure("depth", "3");
  }

  @Test
  void shouldShowEventsAndOptions() {
    broker.http().post("/topic/create?topic=happened").expect(200, "");
    go("/console/events");
    browser.awaitText("topic.create");
    browser.awaitText("happened");
    go("/console/configuration");
    browser.awaitText("http_anonymous_role");
    browser.awaitText("127.0.0.1:" + broker.httpPort());
  }

  @Test
  void shouldDeleteOnlyWhatIsNamed() {
    go("/console/topics");
    browser.press("Create a topic…");
    browser.type("dialog input", "doomed");
    browser.press("Create");
    browser.awaitText("doomed");
    go("/console/topic?topic=doomed");
    browser.press("Pause");
    broker.http().awaitTopic("doomed", topic -> topic.path("paused").asBoolean());
    browser.press("Unpause");
    broker.http().awaitTopic("doomed", topic -> !topic.path("paused").asBoolean());
    browser.type("textarea", "kept");
    browser.press("Publish");
    broker.http().awaitTopic("doomed", topic -> topic.path("depth").asInt() == 1);
    browser.press("Delete…");
    browser.type("dialog input", "doome");
    browser.press("Delete");
    assertTrue(browser.value("document.querySelector('dialog').open").asBoolean());
    browser.type("dialog input", "d");
    browser.press("Delete");
    browser.await("location.pathname === '/console/topics'");
    assertTrue(broker.http().topic("doomed").isMissingNode());
  }

  @Test
  void shouldShowAndSetPolicies() {
    broker.http().post("/topic/create?topic=ruled").expect(200, "");
    broker.http().post("/channel/create?topic=ruled&channel=c").expect(200, "");
    go("/console/channel?topic=ruled&channel=c");
    browser.awaitText("requeue_backoff");
    browser.type("input[name=value]", "1");
    browser.press("Set");
    browser.awaitText("set by hand");
    String policy = broker.http().get("/channel/policy?topic=ruled&channel=c").body();
    assertTrue(policy.contains("\"max_attempts\":{\"value\":1,\"from\":\"hand\"}"), policy);
    broker.http().post("/pub?topic=ruled", MARKUP).expect(200, "OK");
    try (RawNsqConnection consumer = broker.subscribe("ruled", "c")) {
      consumer.line("RDY 1");
      consumer.line("REQ " + consumer.message().id() + " 0");
      awaitFigure("dead", "1");
    }
    browser.value("document.querySelector('select[name=state]').value = 'dead'");
    browser.press("Look");
    browser.awaitText("(max_attempts)");
    browser.press("Redrive");
    awaitFigure("dead", "0");
    awaitFigure("depth", "1");
    browser.press("Unset");
    browser.awaitText("max_attempts is not set by hand any more.");
    go("/console/topic?topic=ruled");
    browser.awaitText("when_full");
    browser.type("input[name=value]", "no");
    browser.press("Set");
    browser.awaitText("INVALID_POLICY retain_for");
    assertEquals(List.of(), browser.barriers());
  }

  @ParameterizedTest
  @CsvSource({
    "/, billing",
    "/console/topics, orders",
    "/console/topic?topic=orders, billing",
    "/console/channel?topic=orders&channel=billing, No consumers.",
    "/console/connections, No consumers are connected.",
    "/console/events, channel.create",
    "/console/configuration, http_anonymous_role",
    "/console/topic?topic=no.such, There is no topic of this name.",
    "/login, Password",
  })
  void shouldHaveNoBarriers(String target, String text) {
    go(target);
    browser.awaitText(text);
    browser.look(1280, 900, false);
    assertEquals(List.of(), browser.barriers());
    browser.look(390, 844, true);
    assertEquals(List.of(), browser.barriers());
    browser.await("document.documentElement.scrollWidth <= 390"); // tables scroll by themselves
  }

  @Test
  void shouldHaveNoBarriersInDialogsAndMessages() {
    go("/console/topic?topic=orders");
    browser.look(1280, 900, true);
    browser.press("Look");
    browser.await("document.querySelectorAll('details.message').length === 10");
    browser.value("document.querySelectorAll('details.message').forEach(d => d.open = true)");
    browser.awaitText("total: 12345678901234567890");
    assertEquals(List.of(), browser.barriers());
    for (String button : List.of("Create a channel…", "Empty…", "Delete…")) {
      browser.press(button);
      browser.await("document.querySelector('dialog').open");
      assertEquals(List.of(), browser.barriers(), button);
      browser.press("Cancel");
      browser.await("document.querySelector('dialog') === null");
    }
  }

  @Test
  void shouldShowThePastOfATopicAndAChannel() {
    broker.http().post("/channel/create?topic=orders&channel=past").expect(200, "");
    go("/console/topic?topic=orders");
    browser.await("document.querySelectorAll('svg path.line[d^=M]').length === 4");
    browser.await("document.getElementById('figure-files').textContent === '1'");
    go("/console/channel?topic=orders&channel=past");
    browser.await("document.querySelectorAll('svg path.line[d^=M]').length === 7");
    browser.await("document.getElementById('figure-ledger').textContent.endsWith('B')");
  }

  @Test
  void shouldSayWhenTheBrokerIsGone() {
    try (BrokerProcess other = BrokerProcess.started()) {
      browser.go("http://127.0.0.1:" + other.httpPort() + "/");
      browser.awaitText("The broker is well");
      String alert = "document.querySelector('[role=alert]')?.checkVisibility() === true";
      assertFalse(browser.value(alert).asBoolean());
      other.terminate();
      browser.await(alert);
      other.start();
      browser.await("!(" + alert + ")");
    }
    go("/");
  }

  @Test
  void shouldBeSmall() {
    go("/");
    awaitFigure("topics", String.valueOf(broker.http().stats("").path("topics").size()));
    assertTrue(bytesOverTheWire() < 200_000);
    assertEquals("en", browser.value("document.documentElement.lang").asText());
  }

  private static long bytesOverTheWire() {
    return browser
        .value(
            "[...performance.getEntriesByType('navigation'),"
                + " ...performance.getEntriesByType('resource')]"
                + ".reduce((sum, e) => sum + e.transferSize, 0)")
        .asLong();
  }

  private static void awaitFirstRow(String text) {
    browser.await("document.querySelector('tbody tr')?.textContent.includes('" + text + "')");
  }

  @Test
  void shouldShowAPageOfManyTopics() {
    try (BrokerProcess other = BrokerProcess.started()) {
      for (int i = 0; i < 450; i++) {
        other.http().post("/topic/create?topic=topic." + (1000 + i)).expect(200, "");
      }
      other.http().post("/mpub?topic=topic.1333", "x\n".repeat(3)).expect(200, "OK");
      browser.go("http://127.0.0.1:" + other.httpPort() + "/console/topics");
      browser.awaitText("1 to 200 of 450");
      assertEquals(200, browser.value("document.querySelectorAll('tbody tr').length").asInt());
      awaitFirstRow("topic.1000");
      assertTrue(bytesOverTheWire() < 200_000);
      browser.press("Next");
      awaitFirstRow("topic.1200");
      browser.press("Next");
      browser.awaitText("401 to 450 of 450");
      browser.press("Depth");
      awaitFirstRow("topic.1333");
      browser.press("Topic");
      awaitFirstRow("topic.1000");
      browser.type("input[type=search]", "TOPIC.144");
      awaitFirstRow("topic.1440");
      browser.await("document.querySelectorAll('tbody tr').length === 10");
      browser.awaitText("450 topics");
      assertEquals(List.of(), browser.barriers());
      go("/");
    }
  }
}
