// The page 签到机: states stay true by themselves; forms are left alone.

import "../console/live.js";
