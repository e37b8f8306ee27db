// The smallest plotly bundle with its Chinese words, as the one script that dcc.Graph asks for when first used.
import Plotly from "plotly.js-basic-dist-min";
import chinese from "plotly.js-locales/zh-cn.js";

Plotly.register(chinese);
globalThis.Plotly = Plotly;
