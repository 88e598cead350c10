/** What /stats and statsd say. */
package io.holdfast.broker.stats;
