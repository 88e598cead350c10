/**
 * What people did and what the broker noticed, and its rates and depths of the last 15 min, kept
 * for whoever looks later.
 */
package io.holdfast.broker.history;
