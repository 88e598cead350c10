package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.history.Figures;
import io.holdfast.broker.history.History;
import io.holdfast.broker.history.Row;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** GET /history. Stateless. */
final class HistoryHandler {
  private static final Map<String, Function<Row, Object>> COLUMNS = new LinkedHashMap<>();

  static {
    COLUMNS.put("time_ms", Row::timeMs);
    COLUMNS.put("published", Row::published);
    COLUMNS.put("published_bytes", Row::publishedBytes);
    COLUMNS.put("finished", Row::finished);
    COLUMNS.put("requeued", Row::requeued);
    COLUMNS.put("timed_out", Row::timedOut);
    COLUMNS.put("depth", Row::depth);
    COLUMNS.put("in_flight", Row::inFlight);
    COLUMNS.put("deferred", Row::deferred);
    COLUMNS.put("publish_p50_seconds", Row::publishP50);
    COLUMNS.put("publish_p99_seconds", Row::publishP99);
    COLUMNS.put("sync_p99_seconds", Row::syncP99);
    COLUMNS.put("disk_free_bytes", Row::diskFreeBytes);
    COLUMNS.put("memory_used_bytes", Row::memoryUsedBytes);
  }

  private final History history;

  HistoryHandler(History history) {
    this.history = history;
  }

  /** The figures now, and the last {@code n} rows as columns, oldest first; blocks. */
  HttpReply history(ApiRequest request) throws HttpError {
    int max = request.params().number("n", History.KEPT, 0, History.KEPT, "INVALID_ARG_N");
    List<Row> rows = history.latest(max);
    Map<String, List<Object>> columns = new LinkedHashMap<>();
    COLUMNS.forEach((name, value) -> columns.put(name, rows.stream().map(value).toList()));
    return HttpReply.json(new Answer(History.INTERVAL_S, history.now(), columns));
  }

  /** Rates are per second. */
  private record Answer(
      @JsonProperty("interval_seconds") int intervalSeconds,
      @JsonProperty("now") Figures now,
      @JsonProperty("rows") Map<String, List<Object>> rows) {}
}
