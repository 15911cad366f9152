import "../console/live.js";
import "../console/forms.js";
