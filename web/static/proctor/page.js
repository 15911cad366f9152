import "../console/live.js";
import "../console/act.js";
import "./log.js";
